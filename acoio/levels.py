"""Sound → levels in dB, broadband and in decidecade bands, in the terms of ISO 18405.

Relative to one count, or to 1 µPa where a calibration is given.  Gaps are not heard
and do not count.  The swell does: take it out before (`highpass`) for levels of sound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from acoio.calibration import COUNTS, Calibration
from acoio.filters import blocks
from acoio.spectra import PowerSpectrum, power

if TYPE_CHECKING:
    from acoio.sound import Sound

_NOMINAL: Final = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)
"""Nominal midband frequencies of a decade.  Source: IEC 61260-1:2014."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Broadband levels of a sound, dB re `reference`, and its length in seconds.

    `rms_db` is the mean-square level, `peak_db` the zero-to-peak level, and
    `exposure_db` the exposure level, re `reference`² s.  Silence is −inf.  Source of
    the terms: ISO 18405:2017, sound pressure level and sound exposure level.
    """

    rms_db: float
    peak_db: float
    exposure_db: float
    reference: str
    duration_s: float


@dataclass(frozen=True, slots=True, eq=False)
class DecidecadeLevels:
    """Levels `level_db` (B,) of decidecade bands, dB re `reference`.

    Bands have exact centres `centre_hz` and edges `low_hz` and `high_hz` (B,), and are
    called by `nominal_hz` (B,).
    """

    level_db: NDArray[np.float64]
    nominal_hz: NDArray[np.float64]
    centre_hz: NDArray[np.float64]
    low_hz: NDArray[np.float64]
    high_hz: NDArray[np.float64]
    reference: str

    @property
    def broadband_db(self) -> float:
        """Level of all bands together."""
        return float(10 * np.log10(np.sum(10 ** (self.level_db / 10))))


def levels(sound: Sound, calibration: Calibration = COUNTS) -> Levels:
    """Return the broadband levels of a sound.

    Raises
    ------
    ValueError
        If there is nothing but gaps.
    """
    total, count, peak = 0.0, 0, 0.0
    for first, last in sound.stretches():
        count += last - first
        for begin, end in blocks(first, last):
            block = sound.samples[begin:end].astype(np.float64)
            total += float(block @ block)
            peak = max(peak, float(np.abs(block).max()))
    if not count:
        raise ValueError(f"levels: found nothing but gaps from {sound.begin} to {sound.end}")
    duration_s = count / sound.true_rate_hz
    rms_db, peak_db = calibration.level_db([total / count, peak**2]).tolist()
    return Levels(
        rms_db=rms_db,
        peak_db=peak_db,
        exposure_db=rms_db + 10 * math.log10(duration_s),
        reference=f"1 {calibration.unit}",
        duration_s=duration_s,
    )


def decidecade_levels(
    sound: Sound,
    calibration: Calibration = COUNTS,
    *,
    low_hz: float = 10.0,
    high_hz: float | None = None,
) -> DecidecadeLevels:
    """Return the mean-square level of each decidecade band from low to high, by nominal centres.

    Without `high_hz`, up to the highest band under half the rate.  The power spectral
    density of frames of one second, longer where the lowest band is under two bins of
    them, is added up between the band's edges, bins on an edge in parts.

    Raises
    ------
    ValueError
        If no band fits, or the sound is so short that bins are wider than the lowest.

    Notes
    -----
    Source: IEC 61260-1:2014, base ten: centres 1000 Hz · 10^(x / 10), edges 10^(±1 / 20)
    beside; ISO 18405:2017 (decidecade, mean-square sound pressure level).
    """
    x = _bands(low_hz, sound.rate_hz / 2, high_hz)
    centre_hz = 1000 * 10 ** (x / 10)
    edges_hz = 1000 * 10 ** (np.append(x - 0.5, x[-1] + 0.5) / 10)
    frame = _frame_samples(sound, edges_hz[1] - edges_hz[0])
    spectrum = power(sound, frame_samples=frame, hop_samples=max(1, frame // 2))
    if edges_hz[1] - edges_hz[0] < spectrum.hz[0]:
        raise ValueError(
            f"decidecade bands: found bins of {spectrum.hz[0]:.3g} Hz in {sound.duration}, "
            f"wanted them narrower than the lowest band, {edges_hz[1] - edges_hz[0]:.3g} Hz"
        )
    return DecidecadeLevels(
        level_db=calibration.level_db(np.diff(_power_below(spectrum, edges_hz))),
        nominal_hz=np.array([_NOMINAL[k % 10] * 10.0 ** (3 + k // 10) for k in x.tolist()]),
        centre_hz=centre_hz,
        low_hz=edges_hz[:-1],
        high_hz=edges_hz[1:],
        reference=f"1 {calibration.unit}",
    )


def _frame_samples(sound: Sound, width_hz: float) -> int:
    """Return a frame of a second, or of two bins to a width, or what the sound has room for."""
    wanted = max(round(sound.rate_hz), math.ceil(2 * sound.rate_hz / width_hz))
    room = len(sound.samples) - 1
    if wanted > sound.rate_hz and sound.gaps:  # of frames half apart one lies in 3/2 of its length
        longest = max((last - first for first, last in sound.stretches()), default=0)
        room = min(room, max(2 * longest // 3, round(sound.rate_hz)))
    return min(wanted, room)


def _bands(low_hz: float, nyquist_hz: float, high_hz: float | None) -> NDArray[np.int64]:
    """Return the numbers x of the bands whose centres are next to low_hz up to high_hz."""
    highest = math.floor(10 * math.log10(nyquist_hz / 1000) - 0.5)
    lowest = round(10 * math.log10(low_hz / 1000)) if low_hz > 0 else highest + 1
    last = highest if high_hz is None else min(highest, round(10 * math.log10(high_hz / 1000)))
    if lowest > last:
        raise ValueError(
            f"decidecade bands: found none from {low_hz:g} Hz to {high_hz or nyquist_hz:g} Hz "
            f"under {nyquist_hz:g} Hz, half the rate"
        )
    return np.arange(lowest, last + 1)


def _power_below(spectrum: PowerSpectrum, hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the power under each frequency, `(E,) → (E,)` counts²; bins are flat."""
    width_hz = spectrum.hz[0]
    bin_edges = np.append(spectrum.hz - width_hz / 2, spectrum.hz[-1] + width_hz / 2)
    below = np.append(0, np.cumsum(spectrum.power)) * width_hz
    return np.asarray(np.interp(hz, bin_edges, below))
