"""The sea's spectrum: the level table, power in a band, and noise shaped to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.signal import firwin2

from acoio.header import RECORD_SAMPLES
from acoio.simulate.streams import RATE_HZ

TAPS: Final = 4095  # resolves 12 Hz, and its memory stays within one record
MONTH_S: Final = 30 * 86_400.0
Table: TypeAlias = tuple[tuple[float, float], ...]
"""Levels by frequency, (Hz, dB) each, Hz rising."""

_BINS: Final = 16_384  # of the grid on which the filter's answer is summed up

# dB re the level at 1 kHz.  Source: docs/format.md, the figures at 20, 100, 500 Hz
# and 4, 6, 8, 10, 11.5 kHz; those between, with the ridges near 4.2 and 5.7 kHz,
# were measured on the real minutes of 2016-02-18.
SEA_LEVELS: Final = (
    (0.0, 8.0), (20.0, 8.0), (100.0, 8.0), (200.0, 6.0), (500.0, 2.0), (1000.0, 0.0),
    (1400.0, 0.5), (1800.0, 2.0), (2600.0, 1.0), (3000.0, -2.0), (3600.0, 0.5), (4000.0, 4.5),
    (4200.0, 6.5), (4450.0, 2.0), (4950.0, -8.0), (5400.0, -3.0), (5700.0, -1.0), (6000.0, -4.5),
    (7000.0, -12.0), (8000.0, -19.0), (10_000.0, -27.0), (11_500.0, -33.0), (12_001.0, -36.0),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shaper:
    """A linear-phase filter, `taps` (TAPS,), and the spectrum of white noise through it."""

    taps: NDArray[np.float32]

    @cached_property
    def psd(self) -> NDArray[np.float64]:
        """The spectrum of unit white noise through the filter, one-sided, counts²/Hz."""
        gain = np.abs(np.fft.rfft(self.taps.astype(np.float64), 2 * (_BINS - 1)))
        return np.asarray(gain**2 * (2.0 / RATE_HZ))

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        steps = 0.5 * (self.psd[1:] + self.psd[:-1]) * (RATE_HZ / 2 / (_BINS - 1))
        return np.concatenate([[0.0], np.cumsum(steps)])

    def answer(self, size: int) -> NDArray[np.complex64]:
        """Return the filter's answer over a transform of `size` samples, `→ (size // 2 + 1,)`."""
        return np.asarray(scipy.fft.rfft(self.taps, size), np.complex64)

    def band_power(self, low_hz: float, high_hz: float) -> float:
        """Return the power of unit white noise through the filter in a band, counts²."""
        bins = np.array([low_hz, high_hz]) / (RATE_HZ / 2) * (_BINS - 1)
        low, high = np.interp(bins, np.arange(_BINS), self._cumulative)
        return float(high - low)


def shape(noise: NDArray[np.float32], *shapers: Shaper) -> tuple[NDArray[np.float32], ...]:
    """Return the noise through each filter, `((n + 1) * 4096,) → (n * 4096,)` each.

    The first record is the filters' memory and is not given back, so a block does
    not depend on how the noise before it was cut.
    """
    size = scipy.fft.next_fast_len(len(noise), real=True)
    spectrum = scipy.fft.rfft(noise, size)
    kept = slice(RECORD_SAMPLES, len(noise))
    return tuple(scipy.fft.irfft(spectrum * s.answer(size), size)[kept] for s in shapers)


def level_at(table: Table, hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the level at frequencies, (n,) → (n,) dB, between the table's by their logarithm."""
    known, level_db = np.array(table).T
    return np.asarray(np.interp(np.log(np.maximum(hz, 1.0)), np.log(known), level_db))


def shaper(levels_db: Sequence[tuple[float, float]], rms: float) -> Shaper:
    """Return the filter that gives unit white noise a table of levels and an rms.

    `levels_db` are `(Hz, dB)` re any level, from 0 Hz to half the rate at least;
    between them dB go linearly with Hz.
    """
    taps = _taps(levels_db)
    return Shaper((taps * (rms / np.sqrt(np.sum(taps**2)))).astype(np.float32))


def sea_shaper(rms: float, *, tilt_db: float = 0.0, risen_db: Table = ()) -> Shaper:
    """Return the filter of the sea's background, tilted by dB per decade about 1 kHz.

    It has the rms before it has `risen_db`, (Hz, dB) each.
    """
    tilted = [(hz, db + tilt_db * np.log10(max(hz, 20.0) / 1000.0)) for hz, db in SEA_LEVELS]
    if not risen_db:
        return shaper(tilted, rms)
    hz, level_db = np.array(tilted).T
    risen = zip(hz, level_db + level_at(risen_db, hz), strict=True)
    scale = rms / np.sqrt(np.sum(_taps(tilted) ** 2))
    return Shaper((_taps(list(risen)) * scale).astype(np.float32))


def _taps(levels_db: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    hz, level_db = np.array(levels_db).T
    grid = np.linspace(0.0, RATE_HZ / 2, 2 * TAPS)
    gain = 10.0 ** (np.interp(grid, hz, level_db) / 20.0)
    return np.asarray(firwin2(TAPS, grid, gain, fs=RATE_HZ))
