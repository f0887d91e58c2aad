"""Whether a file's clock bears out the rate that it is read at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from acoio.clock import NOMINAL_RATE_HZ, TRUE_RATE_HZ
from acoio.errors import DataError, FilenameError
from acoio.filename import parse_filename
from acoio.header import NUMBERS, RECORD_SAMPLES
from acoio.index import FileIndex

_NEAR: Final = 0.01  # clocks and true rates are a thousand times nearer
_LEAST_STEPS: Final = 8
_NOMINAL_HZ: Final = (24_000.0, 44_100.0, 48_000.0, 96_000.0)


class RateError(DataError):
    """A nominal rate that the clock of a file contradicts."""


def check_rate(index: FileIndex, rate_hz: float, path: Path) -> None:
    """Raise if records follow each other as at another nominal rate than that given.

    The other is the one in the file's name, or one of those at which such files are known.
    A clock that fits none tells nothing: it may be broken.

    Raises
    ------
    RateError
        If the clock says another rate, by over 1 %.
    """
    found_hz = _rate_by_clock(index)
    if found_hz is None or _near(found_hz, rate_hz):
        return
    fits = [hz for hz in (*_named_hz(path), *_NOMINAL_HZ) if _near(found_hz, hz)]
    if fits:
        raise RateError(
            f"{path}: found records {1e3 * RECORD_SAMPLES / found_hz:.1f} ms apart, as at "
            f"{fits[0]:g} Hz, wanted {1e3 * RECORD_SAMPLES / rate_hz:.1f} ms, as at "
            f"{rate_hz:g} Hz: give rate_hz={fits[0]:g}"
        )


def _rate_by_clock(index: FileIndex) -> float | None:
    """Return the rate at which most records with numbers in a row follow each other, if any."""
    numbers = index.headers["Record"].astype(np.int64)
    in_row = np.diff(numbers) % NUMBERS == 1
    steps_us = np.diff(index.begins_us(NOMINAL_RATE_HZ))[in_row]
    if len(steps_us) < _LEAST_STEPS:
        return None
    middle_us = float(np.median(steps_us))
    if middle_us <= 0 or np.mean(np.abs(steps_us - middle_us) <= _NEAR * middle_us) < 0.5:
        return None
    return RECORD_SAMPLES / middle_us * 1e6 * (NOMINAL_RATE_HZ / TRUE_RATE_HZ)


def _named_hz(path: Path) -> tuple[float, ...]:
    try:
        return (parse_filename(path).rate_hz,)
    except FilenameError:
        return ()


def _near(found_hz: float, wanted_hz: float) -> bool:
    return abs(found_hz / wanted_hz - 1) <= _NEAR
