"""Sound → power in mel bands, and the mel-frequency cepstral coefficients.

Powers come from `acoio.spectrogram`'s frames; those that touch a gap are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from acoio.spectrogram import FRAME_SAMPLES, HOP_SAMPLES, Frames

if TYPE_CHECKING:
    from acoio.sound import Sound

_TINY: Final = float(np.finfo(np.float32).tiny)
_LOWEST_HZ: Final = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class MelSpectrogram:
    """Power in mel bands, `power` (B, T) in counts², at band centres `hz` (B,) and `times` (T,)."""

    power: NDArray[np.float32]
    hz: NDArray[np.float64]
    times: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Mfcc:
    """Mel-frequency cepstral coefficients `values` (C, T), the first the loudness, at `times`."""

    values: NDArray[np.float32]
    times: tuple[datetime, ...]


def mel_spectrogram(
    sound: Sound,
    bands: int = 64,
    *,
    low_hz: float = _LOWEST_HZ,
    high_hz: float | None = None,
    frame_samples: int = FRAME_SAMPLES,
    hop_samples: int = HOP_SAMPLES,
) -> MelSpectrogram:
    """Return the power in triangular bands, even on the mel scale from low to high, (B, T).

    Neighbours share the power between their centres, so that the bands add up to the
    broadband power there.  `high_hz` is half the rate where it is not given.

    Raises
    ------
    ValueError
        If a band is so narrow that no bin lies in it: use fewer, or longer frames.
    """
    frames = Frames(sound, frame_samples, hop_samples)
    hz = frames.hz[1:]
    edges_hz = _mel_edges(bands, low_hz, sound.rate_hz / 2 if high_hz is None else high_hz)
    weights = _triangles(hz, edges_hz)
    if not weights.any(axis=1).all():
        raise ValueError(f"mel bands: found {bands}, wanted fewer: a bin is {hz[0]:.2f} Hz")
    in_bands = np.empty((bands, frames.count), np.float32)
    for first, block in frames.powers():
        in_bands[:, first : first + block.shape[1]] = weights @ block * hz[0]
    return MelSpectrogram(in_bands, edges_hz[1:-1], frames.times)


def mfcc(
    sound: Sound,
    count: int = 13,
    *,
    bands: int = 40,
    frame_samples: int = FRAME_SAMPLES,
    hop_samples: int = HOP_SAMPLES,
) -> Mfcc:
    """Return the first mel-frequency cepstral coefficients of each frame, (C, T).

    The orthonormal cosine transform (DCT-II) of the natural logarithm of the power
    in mel bands.

    Notes
    -----
    Source: S. B. Davis, P. Mermelstein, "Comparison of parametric representations for
    monosyllabic word recognition", IEEE Trans. ASSP 28, 1980.
    """
    if not 1 <= count <= bands:
        raise ValueError(f"mfcc: found {count} coefficients, wanted 1 to {bands}, the bands")
    mel = mel_spectrogram(sound, bands, frame_samples=frame_samples, hop_samples=hop_samples)
    log_power = np.log(np.maximum(mel.power, _TINY))
    values = scipy.fft.dct(log_power, axis=0, norm="ortho")[:count]
    return Mfcc(np.asarray(values, np.float32), mel.times)


def _mel_edges(bands: int, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Return the edges and centres of bands even on the mel scale, (B + 2,) Hz.

    Source: D. O'Shaughnessy, "Speech Communication", 1987: m = 2595 log10(1 + f / 700).
    """
    if bands < 1 or not 0 <= low_hz < high_hz:
        raise ValueError(f"mel bands: found {bands} from {low_hz:g} to {high_hz:g} Hz")
    low, high = 2595 * np.log10(1 + np.array([low_hz, high_hz]) / 700)
    return np.asarray(700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1))


def _triangles(hz: NDArray[np.float64], edges_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of each bin in each triangular band, (B, F), at most 1."""
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    up, down = (hz - low) / (centre - low), (high - hz) / (high - centre)
    return np.asarray(np.maximum(np.minimum(up, down), 0))
