"""Files in order of time → stretches of sound that follow each other, and what is wrong.

Times are the records' own, repaired where a clock jumped.  Where two files, or two
parts of one, claim the same time, the first to claim it has it, and the other fills
what the first lacks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.catalogue import Found
from acoio.claims import Claims
from acoio.clock import (
    JUMP_US,
    MEMORY_RECORDS,
    ClockRepair,
    anchored_us,
    from_us,
    record_us,
    to_us,
)
from acoio.clock_errors import ClockErrors
from acoio.header import OLD
from acoio.index import FileIndex
from acoio.record import Record
from acoio.sound import Gap

EARLY: Final = timedelta(minutes=1)
"""No sound is this much earlier than the minute in its file's name (0.7 s is, and clock errors)."""

LONGEST: Final = timedelta(hours=1)
"""No sound is this much later: its clock lies."""

_Times = NDArray[np.int64]
_NO_SAMPLES: Final = np.empty(0, np.int32)
_NO_TIMES: Final = np.empty(0, np.int64)


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
    """Records of a file that follow each other, from the record `first` of its `index` on.

    `marks_us` (n,) are their begins.  Only [begin_us, end_us) is free: what lies
    around is claimed by others.
    """

    found: Found
    index: FileIndex
    first: int
    marks_us: _Times
    begin_us: int
    end_us: int


@dataclass(frozen=True, slots=True, eq=False)
class _Heads:
    """Headers (n,), where they lie in their files, and the times they tell."""

    headers: NDArray[np.void]
    byte: _Times
    times_us: _Times

    def followed_by(self, index: FileIndex, times_us: _Times) -> _Heads:
        return _Heads(
            np.concatenate([self.headers, index.headers]),
            np.concatenate([self.byte, index.byte]),
            np.concatenate([self.times_us, times_us]),
        )

    def last(self, count: int) -> _Heads:
        return _Heads(self.headers[-count:], self.byte[-count:], self.times_us[-count:])

    def records(self, layout: str) -> Iterator[Record]:
        """Yield the records without their samples."""
        numbers, widths = self.headers["Record"].tolist(), self.headers["SampleSize"].tolist()
        for k, begin_us in enumerate(self.times_us.tolist()):
            yield Record(
                number=numbers[k],
                begin=from_us(begin_us),
                bits=widths[k],
                samples=_NO_SAMPLES,
                raw=self.headers[k].tobytes(),
                layout=layout,
                byte=int(self.byte[k]),
                sample=0,
            )


class Chain:
    """Takes files in order of time; a stage with the memory of some records.

    What it says of a file depends on that file, on the `MEMORY_RECORDS` records
    before it, and on what time those before it claimed.  `clock_errors` are taken
    out of each file as a whole.
    """

    def __init__(self, rate_hz: float, clock_errors: ClockErrors | None = None) -> None:
        self.rate_hz = rate_hz
        self._errors = clock_errors or ClockErrors()
        self._record_us = record_us(rate_hz)
        self._claims = Claims()
        self._memory = _Heads(np.empty(0, OLD), _NO_TIMES, _NO_TIMES)

    def push(
        self, found: Found, index: FileIndex
    ) -> Iterator[Stretch | Overlap | Correction | Stray]:
        """Yield the stretches of the next file, and what is wrong with them."""
        if not len(index):
            return
        told_us = index.begins_us(self.rate_hz)
        numbers = index.headers["Record"].astype(np.int64)
        right_us = anchored_us(told_us, numbers, self.rate_hz)
        error_us = round(1e6 * self._errors.file_error_s(from_us(right_us[0])))
        told_us = told_us - error_us
        times_us = self._repaired(index, right_us - error_us)
        yield from _corrections(found, times_us, times_us - told_us)
        low_us, high_us = to_us(found.name.begin - EARLY), to_us(found.name.begin + LONGEST)
        self._claims.forget(low_us)
        runs = list(self._runs(times_us, (times_us >= low_us) & (times_us < high_us)))
        lost = _out_of_order([x for x in runs if low_us <= times_us[x[0]] < high_us], times_us)
        for first, last in runs:
            marks_us = times_us[first:last]
            if low_us <= marks_us[0] < high_us and (first, last) not in lost:
                yield from self._place(found, index, first, marks_us)
            else:
                yield Stray(found.path.name, from_us(marks_us[0]), last - first)

    def _runs(self, times_us: _Times, near: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
        """Yield first and last (exclusive) of the records that follow each other."""
        off_us = np.abs(np.diff(times_us) - self._record_us)
        breaks = np.flatnonzero((off_us > JUMP_US) | (near[1:] != near[:-1])) + 1
        edges = [0, *breaks.tolist(), len(times_us)]
        yield from itertools.pairwise(edges)

    def _place(
        self, found: Found, index: FileIndex, first: int, marks_us: _Times
    ) -> Iterator[Stretch | Overlap]:
        file = found.path.name
        end_us = int(marks_us[-1]) + round(self._record_us)
        for part in self._claims.split(int(marks_us[0]), end_us):
            if part.file:
                yield Overlap(from_us(part.begin_us), from_us(part.end_us), file, part.file)
            else:
                self._claims.take(part.begin_us, part.end_us, file)
                yield Stretch(found, index, first, marks_us, part.begin_us, part.end_us)

    def _repaired(self, index: FileIndex, told_us: _Times) -> _Times:
        """Return the times of a file's records, by `ClockRepair` unless all is plain, (n,) µs.

        All is plain where every clock runs on from the memory's: no record is then
        off by `JUMP_US` from what the others say, and the repair would do nothing.
        """
        heads = self._memory.followed_by(index, told_us)
        count = len(told_us)
        self._memory = heads.last(MEMORY_RECORDS)
        drift_us = heads.times_us - np.arange(len(heads.times_us)) * self._record_us
        if float(np.ptp(drift_us)) <= JUMP_US:
            return told_us
        repaired = ClockRepair(self.rate_hz).push(heads.records(index.layout))
        return np.array([to_us(record.begin) for record in repaired], np.int64)[-count:]


def _out_of_order(runs: Sequence[tuple[int, int]], times_us: _Times) -> set[tuple[int, int]]:
    """Return the short runs that claim a time past that of a longer one after them.

    And those that claim one before that of a longer one which they follow.
    """
    kept: list[tuple[int, int]] = []
    lost: set[tuple[int, int]] = set()
    for run in runs:
        while kept and times_us[run[0]] < times_us[kept[-1][0]] and run not in lost:
            shorter = min(kept[-1], run, key=_length)
            if _length(shorter) > MEMORY_RECORDS // 2:
                break
            lost.add(shorter)
            if shorter != run:
                kept.pop()
        if run not in lost:
            kept.append(run)
    return lost


def _length(run: tuple[int, int]) -> int:
    return run[1] - run[0]


def gaps_between(stretches: Iterable[tuple[int, int]], begin_us: int, end_us: int) -> Iterator[Gap]:
    """Yield the gaps in [begin_us, end_us) around stretches in order (begin and end, µs)."""
    for first_us, last_us in stretches:
        until_us = min(first_us, end_us)
        if until_us - begin_us > JUMP_US:
            yield Gap(from_us(begin_us), from_us(until_us))
        begin_us = max(begin_us, last_us)
    if end_us - begin_us > JUMP_US:
        yield Gap(from_us(begin_us), from_us(end_us))


def _corrections(found: Found, times_us: _Times, shift_us: _Times) -> Iterator[Correction]:
    where = np.flatnonzero(shift_us)
    if where.size:
        largest = int(shift_us[where[np.argmax(np.abs(shift_us[where]))]])
        yield Correction(found.path.name, from_us(times_us[where[0]]), where.size, largest / 1e6)
