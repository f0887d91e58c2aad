"""Recordings of single calls → calls that can be mixed into other sound.

A clip comes from another place, at another rate and with noise of its own.  What is
mixed is its call alone: the stretch that sounds, in the band of the call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from acoio.errors import DataError

_Floats: TypeAlias = NDArray[np.float64]
_Bools: TypeAlias = NDArray[np.bool_]

RATE_HZ: Final = 24_000
LONGEST_S: Final = 10.0
KEPT_S: Final = 4.0
"""A clip over `LONGEST_S` is cut to its loudest stretch of this length."""

BAND_SHARE: Final = 0.9  # of the energy above the clip's own noise lies within its band
SOUNDS_DB: Final = 10.0  # a call sounds in frames within this much of its loudest
_FRAME_S: Final = 0.05  # about what a listener takes together, as in acoio.simulate
_SHORTEST_S: Final = 0.1
_SPECTRUM_S: Final = 0.17  # as the detector's frames
_QUIET: Final = 0.2  # of a clip's frames, by level in a bin, are its own noise there
_CLEAR_DB: Final = 6.0  # that quiet lies under the loudest frame, or the call fills the clip
_FLANK: Final = 2 ** (1 / 6)  # a band's flanks reach a sixth of an octave
_LEAST_SHARE: Final = 0.5  # of a clip's energy must lie where the detector listens


@dataclass(frozen=True, eq=False)
class Clip:
    """A call by itself: `waveform` (n,) at `RATE_HZ`, of unit power in its band while it sounds."""

    name: str
    label: str
    waveform: _Floats
    low_hz: float
    high_hz: float


def clip_of(
    samples: NDArray[Any], rate_hz: int, *, name: str, label: str, range_hz: tuple[float, float]
) -> Clip:
    """Return the call in a recording, (n,) or (n, channels) samples at any rate.

    `range_hz` is where the detector listens.

    Raises
    ------
    DataError
        If there is no call in it that could be mixed: it is too short, silent, not
        finite, or sounds mostly outside of that range.
    """
    mono = _mono(samples, rate_hz, name)
    first, last = _loudest(mono, rate_hz, range_hz)
    hz, energy = _above_noise(mono, rate_hz, (first, last))
    low_hz, high_hz = _band(hz, energy, range_hz, name)
    sound = _resampled(mono[first:last], rate_hz)
    sound = _softened(in_band(sound, low_hz, high_hz, flank=_FLANK))
    begin, end = np.flatnonzero(sounding(in_band(sound, low_hz, high_hz)))[[0, -1]]
    sound = _softened(sound[begin : end + 1])
    return Clip(name, label, sound / math.sqrt(call_power(sound, low_hz, high_hz)), low_hz, high_hz)


def in_band(sound: _Floats, low_hz: float, high_hz: float, *, flank: float = 1.0) -> _Floats:
    """Return what of a sound at `RATE_HZ` lies in a band, (n,) → (n,).

    The band's edges are sharp, or fall as a cosine over a factor of `flank` in frequency.
    """
    size = scipy.fft.next_fast_len(len(sound), real=True)
    hz = scipy.fft.rfftfreq(size, 1 / RATE_HZ)
    gain = ((hz >= low_hz) & (hz <= high_hz)).astype(float)
    if flank > 1:
        outside = np.maximum(low_hz / np.maximum(hz, 1e-9), hz / high_hz)
        depth = np.clip(np.log(np.maximum(outside, 1.0)) / math.log(flank), 0, 1)
        gain = np.cos(0.5 * np.pi * depth) ** 2
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(sound, size) * gain, size)[: len(sound)])


def sounding(sound: _Floats) -> _Bools:
    """Return where a call sounds, (n,) → (n,): frames of 50 ms within 10 dB of the loudest."""
    starts = np.arange(0, len(sound), round(_FRAME_S * RATE_HZ))
    lengths = np.diff(starts, append=len(sound))
    power = np.add.reduceat(np.square(sound), starts) / lengths
    loud = power >= power.max() * 10 ** (-SOUNDS_DB / 10)
    return np.asarray(np.repeat(loud, lengths), np.bool_)


def call_power(sound: _Floats, low_hz: float, high_hz: float) -> float:
    """Return a call's power in its band while it sounds, (n,) → its units squared."""
    call = in_band(sound, low_hz, high_hz)
    return float(np.mean(np.square(call[sounding(call)])))


def _mono(samples: NDArray[Any], rate_hz: int, name: str) -> _Floats:
    mono = np.asarray(samples, np.float64)
    mono = mono.mean(axis=1) if mono.ndim == 2 else mono
    if not np.isfinite(mono).all():
        raise DataError(f"clip {name}: found samples that are not finite, wanted none")
    if rate_hz < 1 or len(mono) < _SHORTEST_S * rate_hz:
        found = f"{len(mono)} samples at {rate_hz} Hz"
        raise DataError(f"clip {name}: found {found}, wanted {_SHORTEST_S:g} s or more")
    mono = np.asarray(mono - mono.mean())
    if not mono.any():
        raise DataError(f"clip {name}: found silence, wanted a call")
    return mono


def _loudest(mono: _Floats, rate_hz: int, range_hz: tuple[float, float]) -> tuple[int, int]:
    """Return the stretch to keep, [first, last): of a long clip the loudest in the range."""
    if len(mono) <= LONGEST_S * rate_hz:
        return 0, len(mono)
    size, kept = len(mono), round(KEPT_S * rate_hz)
    hz = scipy.fft.rfftfreq(size, 1 / rate_hz)
    spectrum = np.where((hz >= range_hz[0]) & (hz <= range_hz[1]), scipy.fft.rfft(mono), 0)
    energy = np.concatenate(([0.0], np.cumsum(np.square(scipy.fft.irfft(spectrum, size)))))
    first = int(np.argmax(energy[kept:] - energy[:-kept]))
    return first, first + kept


def _above_noise(mono: _Floats, rate_hz: int, kept: tuple[int, int]) -> tuple[_Floats, _Floats]:
    """Return Hz (F,) and the energy of the kept stretch above the clip's own noise there, (F,).

    A bin's noise is the power of its quiet frames.  Where a clip has no quiet, since the
    call fills it, it is that of the bins about it if that is less.
    """
    frame = max(min(round(_SPECTRUM_S * rate_hz), len(mono)), 4)
    hop = max(frame // 4, 1)
    window = scipy.signal.get_window("hann", frame)
    frames = np.lib.stride_tricks.sliding_window_view(mono, frame)[::hop]
    power = np.abs(scipy.fft.rfft(frames * window, axis=1)) ** 2
    middles = np.arange(len(frames)) * hop + frame // 2
    inside = (middles >= kept[0]) & (middles < kept[1])
    mean = power[inside].mean(axis=0) if inside.any() else power.mean(axis=0)
    hz = scipy.fft.rfftfreq(frame, 1 / rate_hz)
    # The power of noise in a bin is exponential: its quantile q lies at -ln(1 - q) of its mean.
    quiet = np.quantile(power, _QUIET, axis=0) / -math.log(1 - _QUIET)
    loudness = power.sum(axis=1)
    if np.quantile(loudness, _QUIET) < loudness.max() * 10 ** (-_CLEAR_DB / 10):
        return hz, np.maximum(mean - quiet, 0)
    beside = scipy.ndimage.median_filter(mean, 2 * (len(mean) // 6) + 1, mode="nearest")
    return hz, np.maximum(mean - np.minimum(quiet, beside), 0)


def _band(
    hz: _Floats, energy: _Floats, range_hz: tuple[float, float], name: str
) -> tuple[float, float]:
    """Return the band of the middle `BAND_SHARE` of the energy within the range, Hz."""
    inside = (hz >= range_hz[0]) & (hz <= range_hz[1])
    total = float(energy.sum())
    share = float(energy[inside].sum()) / total if total > 0 else 0.0
    if share < _LEAST_SHARE:
        found = f"{100 * share:.0f} % of its energy in {range_hz[0]:g} to {range_hz[1]:g} Hz"
        raise DataError(f"clip {name}: found {found}, wanted {100 * _LEAST_SHARE:.0f} %")
    risen = np.cumsum(energy[inside]) / energy[inside].sum()
    tail = (1 - BAND_SHARE) / 2
    low, high = np.searchsorted(risen, [tail, 1 - tail])
    half_hz = float(hz[1]) / 2
    low_hz = max(float(hz[inside][low]) - half_hz, range_hz[0])
    return low_hz, min(float(hz[inside][min(high, inside.sum() - 1)]) + half_hz, range_hz[1])


def _resampled(mono: _Floats, rate_hz: int) -> _Floats:
    common = math.gcd(RATE_HZ, rate_hz)
    up, down = RATE_HZ // common, rate_hz // common
    return np.asarray(scipy.signal.resample_poly(mono, up, down), np.float64)


def _softened(sound: _Floats) -> _Floats:
    """Return the sound with ends that rise and fall within 10 ms, so that a cut is no click."""
    edge = min(round(0.01 * RATE_HZ), len(sound) // 2)
    rise = np.sin(0.5 * np.pi * (np.arange(edge) + 0.5) / edge) ** 2
    soft = sound.copy()
    soft[:edge] *= rise
    soft[len(soft) - edge :] *= rise[::-1]
    return soft
