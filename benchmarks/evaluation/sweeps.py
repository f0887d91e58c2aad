"""Simulated calls of any sort: tones that sweep, laid into real sound.

Nothing here knows a real call: the band, the length and the direction are drawn widely.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import signal

from detector.rivals.base import Floats, Windows

_START_HZ: Final = (40.0, 400.0)
_LOW_HZ, _HIGH_HZ, _LAST_HZ = 30.0, 450.0, 480.0
_LENGTH_S: Final = (0.25, 1.5)
_SNR_DB: Final = (-5.0, 15.0)  # of the call's mean power to the noise in its band
_OCTAVES: Final = 1.1  # natural logarithm of end to start frequency, either way


def with_sweeps(sound: Windows, rate_hz: float, *, seed: int) -> Windows:
    """Return clips with one sweep each, (n, k) → (n, k), of unit deviation as they were."""
    rng, hz = np.random.default_rng(seed), np.fft.rfftfreq(sound.shape[1], 1 / rate_hz)
    out = np.empty_like(sound)
    for k, clip in enumerate(sound):
        call, low_hz, high_hz = _sweep(rng, len(clip), rate_hz)
        power = np.square(np.abs(np.fft.rfft(clip)))[(hz >= low_hz) & (hz <= high_hz)]
        noise = 2 * power.sum() / len(clip) ** 2
        loud = np.mean(np.square(call[call != 0]))
        out[k] = clip + np.sqrt(noise * 10 ** (rng.uniform(*_SNR_DB) / 10) / loud) * call
    return np.asarray(out / out.std(axis=1, keepdims=True), np.float32)


def _sweep(rng: np.random.Generator, count: int, rate_hz: float) -> tuple[Floats, float, float]:
    """Return a sweep somewhere in a clip, (k,), and its band, Hz."""
    length = min(int(rng.uniform(*_LENGTH_S) * rate_hz), count)
    first_hz = float(np.exp(rng.uniform(*np.log(_START_HZ))))
    last_hz = first_hz * float(np.exp(rng.uniform(-_OCTAVES, _OCTAVES)))
    last_hz = min(max(last_hz, _LOW_HZ), _HIGH_HZ)
    course = np.linspace(0, 1, length) ** np.exp(rng.uniform(-1, 1))
    hz = first_hz + (last_hz - first_hz) * course
    phase = 2 * np.pi * np.cumsum(hz) / rate_hz
    call = np.sin(phase)
    for harmonic in (2, 3, 4):
        if rng.random() < 0.3:
            call += rng.uniform(0, 0.6) * np.sin(harmonic * phase) * (harmonic * hz < _LAST_HZ)
    out, at = np.zeros(count), int(rng.integers(0, count - length + 1))
    out[at : at + length] = call * signal.windows.tukey(length, 0.4)
    low_hz, high_hz = sorted((first_hz, last_hz))
    return out, 0.9 * low_hz, min(1.1 * high_hz + 5, _LAST_HZ)
