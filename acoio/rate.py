"""Whether the clock of a file bears out the rate that it is read at."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from acoio.clock import record_us, to_us
from acoio.errors import DataError, FilenameError
from acoio.filename import parse_filename
from acoio.header import NUMBERS
from acoio.index import FileIndex
from acoio.record import Record

_NEAR: Final = 0.01  # clocks and true rates are a thousand times nearer
_LEAST_STEPS: Final = 4
_STEPS: Final = 64  # a glitch spoils two of them
_JITTER_US: Final = 1000.0  # ten times that of a sound clock
_NOMINAL_HZ: Final = (24_000.0, 44_100.0, 48_000.0, 96_000.0)
_LAG: Final = 128  # records; with a jitter of 0.1 ms a rate is right to 1 part in a million


class RateError(DataError):
    """A nominal rate that the clock of a file contradicts."""


class ClockWatch:
    """Finds files whose clock contradicts their rate, record by record.

    A stage with bounded memory: what it says of a record depends on that record and the
    `_STEPS` before it in its file, whole or growing.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._file = ""
        self._last: Record | None = None
        self._steps_us: deque[int] = deque(maxlen=_STEPS)
        self._begins_us: deque[int] = deque(maxlen=2 * _LAG)

    def push(self, record: Record, file: str) -> str:
        """Return what is wrong with the clock of a file by the next record of it, or ""."""
        if file != self._file:
            self._file = file
            self._steps_us.clear()
        last, self._last = self._last, record
        begin_us = to_us(record.begin)
        step_us = begin_us - to_us(last.begin) if last and _follows(record, last) else None
        if step_us is None or not _near(step_us, record_us(self._rate_hz)):
            self._begins_us.clear()
        self._begins_us.append(begin_us)
        if step_us is None or last is None or record.byte <= last.byte:
            return ""
        self._steps_us.append(step_us)
        return clock_fault(self._steps_us, self._rate_hz)

    @property
    def rate_ratio(self) -> float | None:
        """The sampling rate by the clock of the last 44 s re the true one; None after a break."""
        if len(self._begins_us) < 2 * _LAG:
            return None
        begins_us = np.array(self._begins_us, np.int64)
        ran_us = float(np.median(begins_us[_LAG:] - begins_us[:-_LAG]))
        return _LAG * record_us(self._rate_hz) / ran_us


def _follows(record: Record, last: Record) -> bool:
    return (record.number - last.number) % NUMBERS == 1


def check_rate(index: FileIndex, rate_hz: float, path: Path) -> None:
    """Raise if the clock of a file contradicts a nominal rate.

    Raises
    ------
    RateError
        If most records with numbers in a row are not as far apart as the rate says, within 1 %.
    """
    numbers = index.headers["Record"].astype(np.int64)
    in_row = np.diff(numbers) % NUMBERS == 1
    steps_us = np.diff(index.begins_us(rate_hz))[in_row].tolist()
    if fault := clock_fault(steps_us, rate_hz, named_hz=_named_hz(path)):
        raise RateError(f"{path}: {fault}")


def clock_fault(steps_us: Sequence[int], rate_hz: float, *, named_hz: Sequence[float] = ()) -> str:
    """Return what is wrong with a clock, by its steps between records with numbers in a row.

    Half of the steps, in µs, must be those of the nominal `rate_hz`, within 1 %: the others
    are gaps and glitches.  `named_hz` are rates that the file may be of besides those known.
    """
    wanted_us = record_us(rate_hz)
    if len(steps_us) < _LEAST_STEPS or 2 * _count(steps_us, wanted_us) >= len(steps_us):
        return ""
    wanted = f"wanted {wanted_us / 1e3:.1f} ms, as at {rate_hz:g} Hz"
    middle_us = float(np.median(steps_us))
    alike = np.abs(np.array(steps_us) - middle_us) <= max(_NEAR * abs(middle_us), _JITTER_US)
    if np.mean(alike) < 0.5:
        span = f"{min(steps_us) / 1e3:.1f} to {max(steps_us) / 1e3:.1f} ms"
        return f"found a clock that jumps, with records {span} apart, {wanted}"
    found = f"records {middle_us / 1e3:.1f} ms apart"
    if middle_us <= _JITTER_US:
        does = "stands still" if middle_us >= -_JITTER_US else "runs backwards"
        return f"found a clock that {does}, with {found}, {wanted}"
    found_hz = rate_hz * wanted_us / middle_us
    known = [hz for hz in (*named_hz, *_NOMINAL_HZ) if abs(found_hz / hz - 1) <= _NEAR]
    remedy = f": give rate_hz={known[0]:g}" if known else ""
    return f"found {found}, as at {[*known, round(found_hz)][0]:g} Hz, {wanted}{remedy}"


def _count(steps_us: Sequence[int], wanted_us: float) -> int:
    return sum(_near(step_us, wanted_us) for step_us in steps_us)


def _near(step_us: float, wanted_us: float) -> bool:
    return abs(step_us - wanted_us) <= _NEAR * wanted_us


def _named_hz(path: Path) -> tuple[float, ...]:
    try:
        return (parse_filename(path).rate_hz,)
    except FilenameError:
        return ()
