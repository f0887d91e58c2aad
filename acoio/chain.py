"""Files in order of time → stretches of sound that follow each other, and what is wrong.

Where two files, or two parts of one, claim the same time, the first to claim it has
it, and the other fills what the first lacks.  Recordings come before their copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.audio_file import is_audio
from acoio.catalogue import Found
from acoio.claims import Claims
from acoio.clock import JUMP_US, from_us, record_us, to_us
from acoio.clock_errors import ClockErrors
from acoio.header import RECORD_SAMPLES
from acoio.record_times import RecordTimes
from acoio.runs import Run, runs_within
from acoio.sound import Gap
from acoio.track import Marks, Track

EARLY: Final = timedelta(minutes=1)
"""No sound is this much earlier than the minute in its file's name (0.7 s is, and clock errors)."""

LONGEST: Final = timedelta(hours=1)
"""No sound is this much later: its clock lies."""

_TURN: Final = LONGEST + EARLY
"""A recording that holds time of a copy is named no later than this after it."""

_Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Time that a file claims again: [begin, end) is kept as in `kept`, and left out of `file`."""

    begin: datetime
    end: datetime
    file: str
    kept: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.begin).total_seconds()

    @property
    def of_copy(self) -> bool:
        """Whether it is a copy that a recording of the observatory takes the place of."""
        return is_audio(self.file) and not is_audio(self.kept)


@dataclass(frozen=True, slots=True)
class Correction:
    """Records of a file whose clock jumped: from when, how many, the largest shift made (s)."""

    file: str
    begin: datetime
    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Stray:
    """Records of a file left out: their clock is no time of a file of that name."""

    file: str
    begin: datetime
    records: int


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Samples of a file that follow each other: `count` from the sample `first` of `track` on.

    `marks_us` (n,) are the times of every 4096th of them.  Only [begin_us, end_us) is
    free: what lies around is claimed by others.
    """

    found: Found
    track: Track
    first: int
    count: int
    marks_us: _Times
    begin_us: int
    end_us: int

    def last_us(self, rate_hz: float) -> int:
        """Return when the last of the samples ends."""
        left = self.count - (len(self.marks_us) - 1) * RECORD_SAMPLES
        each_us = record_us(rate_hz, self.track.clock_ratio)
        return int(self.marks_us[-1]) + round(left / RECORD_SAMPLES * each_us)


class Chain:
    """Takes files in the order of `in_turn`; a stage with the memory of some records.

    What it says of a file depends on that file, on the records before it as
    `RecordTimes` has it, and on what time those before it claimed.  `clock_errors` are
    taken out of each file of records as a whole.
    """

    def __init__(self, rate_hz: float, clock_errors: ClockErrors | None = None) -> None:
        self.rate_hz = rate_hz
        self._records = RecordTimes(rate_hz, clock_errors)
        self._claims = Claims()

    def push(self, found: Found, track: Track) -> Iterator[Stretch | Overlap | Correction | Stray]:
        """Yield the stretches of the next file, and what is wrong with them."""
        marks = track.marks(self._records)
        if not len(marks):
            return
        yield from _corrections(found, marks)
        low_us, high_us = to_us(found.name.begin - EARLY), to_us(found.name.begin + LONGEST)
        self._claims.forget(to_us(found.name.begin - _TURN - EARLY))
        each_us = record_us(self.rate_hz, track.clock_ratio)
        kept, strays = runs_within(marks, low_us, high_us, each_us)
        for run in kept:
            yield from self._place(found, track, marks, run)
        for first, last in strays:
            yield Stray(found.path.name, from_us(marks.times_us[first]), last - first)

    def _place(
        self, found: Found, track: Track, marks: Marks, run: Run
    ) -> Iterator[Stretch | Overlap]:
        marks_us, first = marks.times_us[slice(*run)], int(marks.first[run[0]])
        last, file = int(marks.count[run[1] - 1]), found.path.name
        count = int(marks.first[run[1] - 1]) + last - first
        last_us = round(last / RECORD_SAMPLES * record_us(self.rate_hz, track.clock_ratio))
        for part in self._claims.split(int(marks_us[0]), int(marks_us[-1]) + last_us):
            if part.file:
                yield Overlap(from_us(part.begin_us), from_us(part.end_us), file, part.file)
            else:
                self._claims.take(part.begin_us, part.end_us, file)
                yield Stretch(found, track, first, count, marks_us, part.begin_us, part.end_us)


def in_turn(files: Iterable[Found]) -> list[Found]:
    """Return files in order of time, each copy after all recordings that can hold its time."""
    return sorted(files, key=lambda found: (found.name.begin + _TURN * found.copy, found))


def gaps_between(stretches: Iterable[tuple[int, int]], begin_us: int, end_us: int) -> Iterator[Gap]:
    """Yield the gaps in [begin_us, end_us) around stretches in order (begin and end, µs)."""
    for first_us, last_us in stretches:
        until_us = min(first_us, end_us)
        if until_us - begin_us > JUMP_US:
            yield Gap(from_us(begin_us), from_us(until_us))
        begin_us = max(begin_us, last_us)
    if end_us - begin_us > JUMP_US:
        yield Gap(from_us(begin_us), from_us(end_us))


def _corrections(found: Found, marks: Marks) -> Iterator[Correction]:
    where = np.flatnonzero(marks.shift_us)
    if where.size:
        largest = int(marks.shift_us[where[np.argmax(np.abs(marks.shift_us[where]))]])
        begin = from_us(marks.times_us[where[0]])
        yield Correction(found.path.name, begin, where.size, largest / 1e6)
