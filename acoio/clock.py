"""Header clocks → UTC, and the repair of their glitches.

Source: the observatory's rule for the precise time of a record, as in
docs/format.md.  A header holds two clocks: `tSec` with `tuSec`, and `timecount`,
which counts 100 ns ticks within the second.  The precise time is made of
`timecount`; `tuSec` runs about half a second ahead of it and drifts slowly.
On 2018-10-28 `timecount` jumped by 0.3 s for 37 records while `tuSec` stayed
smooth: the smooth one is believed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.header import NUMBERS, OLD, RECORD_SAMPLES
from acoio.record import Record

TRUE_RATE_HZ: Final = 24_000.127
"""Measured on 7,031 records of 2018-10-28; a record lasts 0.1706657 s."""

NOMINAL_RATE_HZ: Final = 24_000.0

ACO_RATIO: Final = TRUE_RATE_HZ / NOMINAL_RATE_HZ
"""How much faster than nominal the observatory samples; of other recorders nothing was measured."""

_MARKED_SAMPLE: Final = 511  # the header's time belongs to this sample, counted from 0
_LAG_US: Final = 50  # between the 96 kHz and the 24 kHz data
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CLOCKS: Final = struct.Struct("<12sII")  # what stands before tSec, tSec, tuSec

MEMORY_RECORDS: Final = 128
"""How many records the repair looks back: 22 s, over three times the longest glitch known."""

JUMP_US: Final = 20_000
"""A clock this far from where it should be has jumped; the two drift apart by 0.3 ms in 22 s."""


def true_rate_hz(nominal_hz: float, ratio: float = ACO_RATIO) -> float:
    """Return the real sampling rate for a nominal one, in Hz; the observatory's by default."""
    return nominal_hz * ratio


def record_us(nominal_hz: float = NOMINAL_RATE_HZ, ratio: float = ACO_RATIO) -> float:
    """Return how long 4096 samples last, in microseconds."""
    return RECORD_SAMPLES / true_rate_hz(nominal_hz, ratio) * 1e6


def samples_in(span_us: int, nominal_hz: float) -> int:
    """Return how many samples a span of microseconds holds, to the nearest."""
    return round(span_us / record_us(nominal_hz) * RECORD_SAMPLES)


def to_us(when: datetime) -> int:
    """Return whole microseconds since 1970 UTC; a naive time is taken as UTC."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the UTC time of whole microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(microseconds))


def begins_us(headers: NDArray[np.void], rate_hz: float) -> NDArray[np.int64]:
    """Return the UTC time of each record's first sample, `(n,) → (n,) µs`."""
    head = headers.view(OLD)
    second = head["tSec"].astype(np.int64) * 1_000_000
    precise = second + (head["timecount"].astype(np.int64) + 5) // 10
    precise -= np.where(precise > second + head["tuSec"], 1_000_000, 0)
    lead = round(_MARKED_SAMPLE / true_rate_hz(rate_hz) * 1e6)
    return precise - _LAG_US - lead


def header_from_begin(begin_us: int, rate_hz: float, ahead_us: int = 531_800) -> dict[str, int]:
    """Return the clock fields of a record that begins at a time: `begins_us` undone.

    `ahead_us` is how far `tuSec` runs ahead of `timecount` (0.5318 s in 2018).
    """
    lead = round(_MARKED_SAMPLE / true_rate_hz(rate_hz) * 1e6)
    second, fraction = divmod(begin_us + _LAG_US + lead, 1_000_000)
    carry, ahead = divmod(fraction + ahead_us, 1_000_000)
    return {
        "tSec": second + carry,
        "tuSec": ahead,
        "timecount": fraction * 10,
        "AtSec": second,
        "AtnSec": fraction * 1000,
    }


def anchored_us(
    told_us: NDArray[np.int64], numbers: NDArray[np.int64], rate_hz: float
) -> NDArray[np.int64]:
    """Return a file's times with the few that lie put right by the many, `(n,) → (n,) µs`.

    Each header says when the file's first record began, by its record number.  Where
    most agree within `JUMP_US`, the others are timed by their numbers from a record
    near them that does; those of a clock that stays off for more than half the
    memory are left, and those whose number does not fit between its neighbours'.
    """
    ahead = (numbers - numbers[0] + NUMBERS // 2) % NUMBERS - NUMBERS // 2
    ran_us = np.rint(ahead * record_us(rate_hz)).astype(np.int64)
    zero_us = told_us - ran_us
    agrees = np.abs(zero_us - int(np.sort(zero_us)[len(zero_us) // 2])) <= JUMP_US
    if agrees.all() or 2 * np.count_nonzero(agrees) <= len(agrees):
        return told_us
    edges = [0, *(np.flatnonzero(np.abs(np.diff(zero_us)) > JUMP_US) + 1).tolist(), len(zero_us)]
    solid = agrees | np.repeat(np.diff(edges) > MEMORY_RECORDS // 2, np.diff(edges))
    right_us = told_us.copy()
    for first, last in pairwise(edges):
        near = _near(solid, ahead, first, last)
        if near is not None and not _runs_on(told_us, first, last, record_us(rate_hz)):
            right_us[first:last] = zero_us[near] + ran_us[first:last]
    return right_us


def _near(solid: NDArray[np.bool_], ahead: NDArray[np.int64], first: int, last: int) -> int | None:
    """Return a sound record by which the records [first, last) can be timed, if there is one."""
    if solid[first]:
        return None
    before = np.flatnonzero(solid[:first])[-1:]
    after = last + np.flatnonzero(solid[last:])[:1]
    low = ahead[before[0]] if before.size else ahead[after[0]] - MEMORY_RECORDS
    high = ahead[after[0]] if after.size else low + MEMORY_RECORDS
    fits = low < ahead[first] and ahead[last - 1] < high
    return int(np.concatenate([before, after])[0]) if fits else None


def _runs_on(told_us: NDArray[np.int64], first: int, last: int, step_us: float) -> bool:
    """Whether the clock of the records [first, last) runs on from before, or after them."""
    steps = [told_us[k] - told_us[k - 1] for k in (first, last) if 0 < k < len(told_us)]
    return any(abs(step - step_us) <= JUMP_US for step in steps)


class ClockRepair:
    """Puts right the time of records whose clock jumped while the sound ran on.

    The precise clock of each record is held against the median of the last
    `MEMORY_RECORDS`, counted by record numbers.  Where it is off, the smooth clock
    decides if that one is not; where both are off, the record is timed by its
    number if it follows its predecessor within a file, and believed if not: there
    is a gap.  A clock that stays off is believed after half the memory.

    A stage with bounded memory: what it says of a record depends on that record
    and the `MEMORY_RECORDS` before it.
    """

    def __init__(self, rate_hz: float = NOMINAL_RATE_HZ) -> None:
        ran = np.arange(MEMORY_RECORDS * (MEMORY_RECORDS + 1)) * record_us(rate_hz)
        self._ran_us = np.rint(ran).astype(np.int64)
        self._last: Record | None = None
        self._precise = np.zeros(MEMORY_RECORDS, np.int64)
        self._smooth = np.zeros(MEMORY_RECORDS, np.int64)
        self._ago = np.zeros(MEMORY_RECORDS, np.int64)  # records since each was heard
        self._known = self._next = 0

    def push(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record, with its `begin` repaired where that was needed."""
        for record in records:
            follows = self._count_on(record)
            precise_us, smooth_us = to_us(record.begin), _smooth_us(record)
            believed_us = precise_us
            if self._known and abs(precise_us - self._usual(self._precise)) > JUMP_US:
                smooth_off_us = smooth_us - self._usual(self._smooth)
                if abs(smooth_off_us) <= JUMP_US:
                    believed_us = self._usual(self._precise) + smooth_off_us
                elif follows:
                    believed_us = self._usual(self._precise)
                else:
                    self._known = self._next = 0
            self._remember(precise_us, smooth_us)
            yield (
                record if believed_us == precise_us else replace(record, begin=from_us(believed_us))
            )

    def _count_on(self, record: Record) -> bool:
        """Count on to a record; say whether it follows the last one within a file."""
        last, self._last = self._last, record
        if last is None:
            return False
        ahead = (record.number - last.number) % NUMBERS
        self._ago += ahead if ahead <= MEMORY_RECORDS else 1
        return ahead == 1 and record.byte > last.byte

    def _usual(self, clock: NDArray[np.int64]) -> int:
        """Return what a clock should say now, by the median of what it said, in µs."""
        now_us = np.sort(clock[: self._known] + self._ran_us[self._ago[: self._known]])
        return int(now_us[self._known // 2])

    def _remember(self, precise_us: int, smooth_us: int) -> None:
        at = self._next % MEMORY_RECORDS
        self._precise[at], self._smooth[at], self._ago[at] = precise_us, smooth_us, 0
        self._next += 1
        self._known = min(self._known + 1, MEMORY_RECORDS)


def _smooth_us(record: Record) -> int:
    _, tsec, tusec = _CLOCKS.unpack_from(record.raw)
    return int(tsec) * 1_000_000 + int(tusec)
