"""What a step of listening says that was not said before (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from acoio.sound import Gap
from daemon.bus.wire import Draft, event_draft, gap_draft, numbered
from daemon.evidence.paths import with_evidence
from daemon.progress import Outgoing
from detector.values import Event, Score, event_json

_Json = Mapping[str, Any]
_PLACE: Final = ("file", "sample")


def revisions(
    events: Iterable[Event], stored: Callable[[str], _Json | None]
) -> tuple[dict[str, Any], ...]:
    """Return the events that say something new, in order.

    Work that is done again says the same again, and that is left out; an event
    that was closed is not opened again, nor does it end earlier where less of it was
    heard again.
    """
    known: dict[str, _Json | None] = {}
    new = []
    for event in events:
        now = with_evidence(event_json(event))
        before = known.get(event.id) or stored(event.id)
        if before and (_says(before, now) or _is_behind(before, now)):
            continue
        known[event.id] = now
        new.append(now)
    return tuple(new)


def _is_behind(before: _Json, now: _Json) -> bool:
    """Return whether a revision knows less of an event that was closed."""
    return bool(
        before["status"] == "closed" and (now["status"] == "open" or now["end"] < before["end"])
    )


def _says(before: _Json, now: _Json) -> bool:
    """Say whether all of a revision was said before; what is stored bears a bout as well.

    The same sound may be heard in another file.
    """
    return before.items() >= {k: now[k] for k in now if k not in _PLACE}.items()


def in_order(events: Sequence[_Json], gaps: Sequence[Gap]) -> list[Draft]:
    """Return the messages of events and gaps in the order of what they tell of."""
    drafts = [event_draft(event) for event in events] + [gap_draft(gap) for gap in gaps]
    return sorted(drafts, key=lambda draft: draft.time)


def number(
    drafts: Sequence[Draft], *, station: str, epoch: str, after: int, nonce: str
) -> tuple[Outgoing, ...]:
    """Return drafts as messages, numbered on from `after`."""
    return tuple(
        numbered(draft, station=station, epoch=epoch, sequence=after + 1 + k, nonce=nonce)
        for k, draft in enumerate(drafts)
    )


def scored_seconds(scores: Sequence[Score], after: datetime | None = None) -> float:
    """Return how much sound windows cover beyond `after`, in seconds; overlaps count once."""
    total, covered = 0.0, after
    for score in scores:
        begin = score.begin
        if covered is not None and begin < covered < score.end:
            begin = covered
        total += (score.end - begin).total_seconds()
        covered = score.end
    return total
