"""Header clocks → UTC, and the repair of their glitches.

Source: the observatory's rule for the precise time of a record, as in
docs/format.md.  A header holds two clocks: `tSec` with `tuSec`, and `timecount`,
which counts 100 ns ticks within the second.  The precise time is made of
`timecount`; `tuSec` runs about half a second ahead of it and drifts slowly.
On 2018-10-28 `timecount` jumped by 0.3 s for 37 records while `tuSec` stayed
smooth: the smooth one is believed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.header import OLD, RECORD_SAMPLES
from acoio.record import Record

TRUE_RATE_HZ: Final = 24_000.127
"""Measured on 7,031 records of 2018-10-28; a record lasts 0.1706657 s."""

NOMINAL_RATE_HZ: Final = 24_000.0
_MARKED_SAMPLE: Final = 511  # the header's time belongs to this sample, counted from 0
_LAG_US: Final = 50  # between the 96 kHz and the 24 kHz data
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

MEMORY_RECORDS: Final = 128
"""How many records the repair looks back: 22 s, over three times the longest glitch known."""
_GLITCH_US: Final = 20_000  # the two clocks drift apart by 12 µs/s, so 20 ms within 22 s is a jump


def true_rate_hz(nominal_hz: float) -> float:
    """Return the recorder's real sampling rate for a nominal one, in Hz."""
    return nominal_hz * (TRUE_RATE_HZ / NOMINAL_RATE_HZ)


def record_us(nominal_hz: float = NOMINAL_RATE_HZ) -> float:
    """Return how long a record lasts, in microseconds."""
    return RECORD_SAMPLES / true_rate_hz(nominal_hz) * 1e6


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


class ClockRepair:
    """Puts right the time of records whose `timecount` jumped while `tuSec` did not.

    A stage with bounded memory: what it says of a record depends on that record
    and the `MEMORY_RECORDS` before it.
    """

    def __init__(self) -> None:
        self._ahead_us: deque[int] = deque(maxlen=MEMORY_RECORDS)

    def push(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield each record, with its `begin` repaired where that was needed."""
        for record in records:
            header = np.frombuffer(record.raw, OLD)[0]
            smooth_us = int(header["tSec"]) * 1_000_000 + int(header["tuSec"])
            self._ahead_us.append(smooth_us - to_us(record.begin))
            usual_us = sorted(self._ahead_us)[len(self._ahead_us) // 2]
            if abs(self._ahead_us[-1] - usual_us) > _GLITCH_US:
                record = replace(record, begin=from_us(smooth_us - usual_us))
            yield record

    def reset(self) -> None:
        """Forget what came before, as after a gap."""
        self._ahead_us.clear()
