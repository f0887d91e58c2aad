"""Which bout an event belongs to (pure).

A bout is a song, a passing train, a struck chain: events that follow each other
within a pause, each in a band that overlaps that of the one before.  It is settled
when an event begins, by the events before it, and never changed; so the only state
is the events themselves, which are committed with their bouts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import takewhile
from typing import Any, Final, Protocol

PAUSE: Final = timedelta(seconds=60)
"""Sound within which the next event follows: the pauses of song and of clicking are shorter."""

ENOUGH: Final = 64
"""Events that are certain to reach back over a pause: none is shorter than 2 s."""

_Json = Mapping[str, Any]


class Known(Protocol):
    """What was found before: the ledger, or a list."""

    def event(self, event_id: str) -> _Json | None:
        """Return the newest revision of an event, or None."""

    def events_before(self, begin: str) -> Iterable[_Json]:
        """Return the newest events that begin earlier, up to `ENOUGH`."""


def with_bouts(events: Sequence[_Json], known: Known) -> tuple[dict[str, Any], ...]:
    """Return revisions of events, in the order they were heard, each with its `bout`.

    That is the id of the bout's first event, which may be its own.
    """
    here: dict[str, dict[str, Any]] = {}
    told = []
    for event in events:
        before = here.get(event["id"]) or known.event(event["id"])
        bout = before["bout"] if before else _bout(event, _newest_first(event, here, known))
        here[event["id"]] = {**event, "bout": bout}
        told.append(here[event["id"]])
    return tuple(told)


def _newest_first(event: _Json, here: Mapping[str, _Json], known: Known) -> Iterator[_Json]:
    """Yield the events that begin before one, by their newest revisions."""
    new = [other for other in here.values() if other["begin"] < event["begin"]]
    stored = (other for other in known.events_before(event["begin"]) if other["id"] not in here)
    return merge(sorted(new, key=_begin, reverse=True), stored, key=_begin, reverse=True)


def _begin(event: _Json) -> str:
    return str(event["begin"])


def _bout(event: _Json, earlier: Iterable[_Json]) -> str:
    """Return the bout of the last event that this one follows; events do not overlap in time."""
    near = takewhile(lambda other: _follows(event, other), earlier)
    before = next((other for other in near if _overlap(event, other)), event)
    return str(before.get("bout", event["id"]))


def _follows(event: _Json, before: _Json) -> bool:
    begin, end = datetime.fromisoformat(event["begin"]), datetime.fromisoformat(before["end"])
    return begin - end <= PAUSE


def _overlap(event: _Json, other: _Json) -> bool:
    return bool(event["low_hz"] < other["high_hz"] and other["low_hz"] < event["high_hz"])
