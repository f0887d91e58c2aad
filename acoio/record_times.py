"""The headers of files that follow each other → the times of their records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

_Times = NDArray[np.int64]
_NO_SAMPLES = np.empty(0, np.int32)
_NO_TIMES = np.empty(0, np.int64)


class RecordTimes:
    """Takes files in order of time; a stage with the memory of some records.

    The many of a file's records put right the few (`anchored_us`), `clock_errors` are
    taken out of each file as a whole, and a clock that jumped is repaired by the
    `MEMORY_RECORDS` records before it, in this file and in the one before.
    """

    def __init__(self, rate_hz: float, clock_errors: ClockErrors | None = None) -> None:
        self._rate_hz = rate_hz
        self._errors = clock_errors or ClockErrors()
        self._record_us = record_us(rate_hz)
        self._memory = _Heads(np.empty(0, OLD), _NO_TIMES, _NO_TIMES)

    def push(self, index: FileIndex) -> tuple[_Times, _Times]:
        """Return the times of the next file's records and how far each was moved, (n,) µs.

        What the known errors took out of the whole file is not counted as moved.
        """
        if not len(index):
            return _NO_TIMES, _NO_TIMES
        told_us = index.begins_us(self._rate_hz)
        numbers = index.headers["Record"].astype(np.int64)
        right_us = anchored_us(told_us, numbers, self._rate_hz)
        error_us = round(1e6 * self._errors.file_error_s(from_us(right_us[0])))
        times_us = self._repaired(index, right_us - error_us)
        return times_us, times_us - (told_us - error_us)

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
        repaired = ClockRepair(self._rate_hz).push(heads.records(index.layout))
        return np.array([to_us(record.begin) for record in repaired], np.int64)[-count:]


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
