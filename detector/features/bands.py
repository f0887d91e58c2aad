"""Samples → levels of log-frequency bands."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from acoio.spectrogram import difference_response
from detector.config import FeatureSettings

_BLOCK_FRAMES: Final = 32  # always: calls of one shape give one result
_QUANTISATION_COUNTS2: Final = 1 / 12  # variance of rounding to whole counts
_Floats = NDArray[np.float32]


class BandLevels:
    """Samples → band levels in dB re 1 count²/Hz, two spectra or more a record.

    The first difference of the samples is transformed, and its known response
    taken out again: a swell a hundred times stronger than the sound would leak
    from 0.1 Hz over every band up to 100 Hz.  The recorder's own rounding is the
    lowest level there is.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        n, rate_hz = settings.frame_samples, settings.rate_hz
        self._frame, self._hop = n, settings.hop_samples
        taper = scipy.signal.get_window("hann", n).astype(np.float32)
        self._taper = taper
        first, last = int(settings.band_bins[0]), int(settings.band_bins[-1])
        response = difference_response(np.arange(first, last), n)
        density = 2 / (rate_hz * float(np.sum(taper.astype(np.float64) ** 2)))
        self._bins = slice(first, last)
        self._weight = (density / response).astype(np.float32)
        self._starts = settings.band_bins[:-1] - first
        self._widths = np.diff(settings.band_bins).astype(np.float32)
        self._floor = np.float32(2 * _QUANTISATION_COUNTS2 / rate_hz)

    def __call__(self, samples: NDArray[np.int32]) -> _Floats:
        """Return levels, `(1 + frame + (m - 1) * hop,) → (m, F)` dB re 1 count²/Hz."""
        steps = np.subtract(samples[1:], samples[:-1], dtype=np.int64).astype(np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(steps, self._frame)[:: self._hop]
        levels = np.empty((len(frames), len(self._starts)), np.float32)
        for k in range(0, len(frames), _BLOCK_FRAMES):
            levels[k : k + _BLOCK_FRAMES] = self._block(frames[k : k + _BLOCK_FRAMES])
        return levels

    def _block(self, frames: _Floats) -> _Floats:
        block = np.zeros((_BLOCK_FRAMES, self._frame), np.float32)
        np.multiply(frames, self._taper, out=block[: len(frames)])
        spectrum = scipy.fft.rfft(block, axis=1, overwrite_x=True)[:, self._bins]
        power = (spectrum.real**2 + spectrum.imag**2) * self._weight
        mean = np.add.reduceat(power, self._starts, axis=1) / self._widths
        return (10 * np.log10(mean + self._floor))[: len(frames)]
