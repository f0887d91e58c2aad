"""An archive as if it arrived now: what of it is shown, and when its sound is due (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from acoio.clock import record_us, true_rate_hz
from acoio.errors import FilenameError
from acoio.filename import FileName
from daemon.drop.arrivals import Arrivals, Plan, Task
from daemon.drop.listing import Seen
from daemon.drop.order import parsed, time_order
from daemon.ledger.files import Files
from daemon.progress import FileProgress

_AHEAD: Final = 4  # files shown that are not done: few, so that none is taken for a backlog
_STEP_S: Final = 0.25  # a step at a pace takes so much of the replay's time at most


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in UTC: its end is no part of it."""

    begin: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.begin:%Y-%m-%dT%H:%M:%S}/{self.end:%Y-%m-%dT%H:%M:%S}"


def parse_span(text: str) -> Span:
    """Return the span of two ISO 8601 times with a slash; without an offset they are UTC.

    Raises
    ------
    ValueError
        If it is none.
    """
    wanted = f"found {text!r}, wanted BEGIN/END, as 2018-10-28T10:00/2018-10-28T11:00"
    try:
        begin, end = (_utc(datetime.fromisoformat(part)) for part in text.split("/"))
    except ValueError as error:
        raise ValueError(wanted) from error
    if begin >= end:
        raise ValueError(f"{wanted}, the begin before the end")
    return Span(begin, end)


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


class Replay:
    """Shows the recordings that begin within a span, a few at a time, oldest first.

    With a `speed` their sound is due so many times faster than it was recorded,
    from the first sound asked for on; without one it is always due.
    """

    def __init__(self, span: Span, *, speed: float | None = None) -> None:
        self._span = span
        self._speed = speed
        self._begin: tuple[datetime, float] | None = None

    @property
    def step_s(self) -> float | None:
        """How many seconds of sound a step holds at most, None for as many as usual."""
        return None if self._speed is None else self._speed * _STEP_S

    def holds(self, seen: Seen) -> bool:
        """Say whether a file is a recording of the span."""
        name = _parsed(seen.name)
        return name is not None and self._span.begin <= name.begin < self._span.end

    def shown(self, listing: Iterable[Seen], known: Mapping[str, FileProgress]) -> list[Seen]:
        """Return what there is of a listing by now: what is done, and what comes next."""
        shown, ahead = [], 0
        within = [seen for seen in listing if self.holds(seen)]
        for seen in sorted(within, key=lambda seen: time_order(seen.name)):
            file = known.get(seen.name)
            ahead += file is None or file.state == "pending"
            if file or ahead <= _AHEAD:  # what is known and not shown would seem to have vanished
                shown.append(seen)
        return shown

    def allows(self, task: Task, known: Mapping[str, FileProgress], now_s: float) -> bool:
        """Say whether the sound of a task is due, at a time (monotonic, seconds)."""
        name, file = _parsed(task.seen.name), known.get(task.seen.name)
        if self._speed is None or task.do != "read" or name is None:
            return True
        samples = file.samples_read if file else 0
        sound = name.begin + timedelta(seconds=samples / true_rate_hz(name.rate_hz))
        if self._begin is None:
            self._begin = sound, now_s
        first, since_s = self._begin
        return (sound - first).total_seconds() <= (now_s - since_s) * self._speed


class Replayed(Arrivals):
    """What to do with those files of a listing that a replay shows."""

    def __init__(self, replay: Replay, *, settle_s: float, rate_hz: float, band: str) -> None:
        super().__init__(settle_s=settle_s, rate_hz=rate_hz, band=band)
        self._replay = replay

    def look(self, listing: Iterable[Seen], known: Files, now_s: float) -> Plan:
        """Return what to do about a listing."""
        listing = list(listing)
        closed = [seen for seen in listing if seen.closed]
        return super().look([*self._replay.shown(listing, known), *closed], known, now_s)


def records_in(step_s: float | None, rate_hz: float, *, most: int) -> int:
    """Return how many records a step of so many seconds of sound has, at least one."""
    if step_s is None:
        return most
    return min(max(int(step_s / (record_us(rate_hz) / 1e6)), 1), most)


def _parsed(name: str) -> FileName | None:
    try:
        return parsed(name)
    except FilenameError:
        return None
