"""Which events are sent one by one, and which are summed up (pure).

In each hour of sound so many events are sent; the others of that hour are held back:
stored, never sent, and told of together once the hour is over.  An event belongs to
the hour that it begins in, so hours may be heard in any order and more than once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Protocol

from daemon.bus.wire import Draft, summary_draft
from daemon.events.bouts import Known, with_bouts
from daemon.events.revise import in_order
from daemon.progress import Step
from detector.scoring.listen import Heard
from detector.values import Score, iso

GRACE: Final = timedelta(minutes=1)
"""How long after an hour it is summed up: an event may open later than it begins."""

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_Json = Mapping[str, Any]


class Book(Known, Protocol):
    """What was sent and held back by the last commit: `alert_book.AlertBook`.

    An hour goes by the ISO 8601 time it begins at.
    """

    def is_held(self, event_id: str) -> bool: ...
    def sent(self, hour: str) -> int: ...
    def held(self, hour: str) -> Sequence[_Json]: ...
    def untold(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Weighed:
    """Revisions of events, parted: `held` are the ids first held back, by their hour."""

    sent: tuple[_Json, ...]
    held: Mapping[str, str]


def alerted(
    step: Step, heard: Heard, book: Book, *, most_per_hour: int
) -> tuple[Step, list[Draft]]:
    """Return a step with the bouts of its events and what of them is held back, and what to send.

    `heard` is what the step heard: its gaps are told, its windows end hours.
    """
    events = with_bouts(step.events, book)
    now = weighed(events, book, most_per_hour=most_per_hour)
    hours = hours_over({*book.untold(), *now.held.values()}, heard.scores)
    drafts = [*in_order(now.sent, heard.gaps), *summed_up(hours, book, events, now.held)]
    return replace(step, events=events, held=now.held, told=hours), drafts


def weighed(events: Iterable[_Json], book: Book, *, most_per_hour: int) -> Weighed:
    """Return what of these revisions is sent.

    What an event begins with, it goes on with: one that was sent open is sent
    closed, and one that was held back stays so.
    """
    sent: list[_Json] = []
    held: dict[str, str] = {}
    fresh: Counter[str] = Counter()
    passed: set[str] = set()
    for event in events:
        name, hour = event["id"], hour_of(event)
        if name in held or book.is_held(name):
            continue
        if name not in passed and book.event(name) is None:
            if book.sent(hour) + fresh[hour] >= most_per_hour:
                held[name] = hour
                continue
            fresh[hour] += 1
        passed.add(name)
        sent.append(event)
    return Weighed(tuple(sent), held)


def hour_of(event: _Json) -> str:
    """Return the hour that an event begins in."""
    begin = datetime.fromisoformat(event["begin"])
    return iso(begin.replace(minute=0, second=0, microsecond=0))


def hours_over(untold: Iterable[str], scores: Sequence[Score]) -> tuple[str, ...]:
    """Return those hours that are to be summed up, now that these windows were scored.

    Sound of a late file may come between that of today, and so it is asked once a
    minute of sound, not at every step.
    """
    minute = _whole_minute(scores)
    if minute is None:
        return ()
    over = (hour for hour in untold if datetime.fromisoformat(hour) + _HOUR + GRACE <= minute)
    return tuple(sorted(over))


def _whole_minute(scores: Sequence[Score]) -> datetime | None:
    """Return the last whole minute that windows went past, or None.

    Windows overlap, so however they are cut into steps, none is passed unseen.
    """
    if not scores:
        return None
    first, last = scores[0], scores[-1]
    minute = last.begin.replace(second=0, microsecond=0)
    return minute if first.begin - (first.end - first.begin) < minute else None


def summed_up(
    hours: Iterable[str],
    book: Book,
    events: Sequence[_Json] = (),
    held: Mapping[str, str] = MappingProxyType({}),
) -> list[Draft]:
    """Return the summary of each hour; `events` and `held` are of the step not committed yet.

    It tells of the whole hour: one that comes later for the same hour replaces it.
    """
    revised = {event["id"]: event for event in events}
    drafts = []
    for hour in hours:
        stored = {event["id"]: event for event in book.held(hour)}
        ids = [*stored, *(name for name in held if held[name] == hour)]
        end = iso(datetime.fromisoformat(hour) + _HOUR)
        newest = [revised.get(name) or stored[name] for name in ids]
        drafts.append(summary_draft(hour, end, newest))
    return drafts
