"""Sound → power in time and frequency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from acoio.sound import Sound

_FRAME_SAMPLES: Final = 4096
_HOP_SAMPLES: Final = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Spectrogram:
    """Power spectral density `power` (F, T) in counts²/Hz, at `hz` (F,) and `times` (T,) UTC."""

    power: NDArray[np.float32]
    hz: NDArray[np.float64]
    times: tuple[datetime, ...]

    def above_background_db(self) -> NDArray[np.float32]:
        """Return the level of each bin above its median over the whole, (F, T) dB."""
        level_db = 10 * np.log10(self.power)
        return np.asarray(level_db - np.median(level_db, axis=1, keepdims=True), np.float32)


def spectrogram(
    sound: Sound, *, frame_samples: int = _FRAME_SAMPLES, hop_samples: int = _HOP_SAMPLES
) -> Spectrogram:
    """Return the spectrogram of a sound: Hann frames, centred on the times given.

    The first difference of the samples is transformed and its response taken out
    again, so that the swell does not leak over the bands of whales.

    Raises
    ------
    ValueError
        If the sound is shorter than a frame.
    """
    if len(sound.samples) <= frame_samples:
        raise ValueError(f"sound: found {len(sound.samples)} samples, wanted over {frame_samples}")
    steps = np.diff(sound.samples.astype(np.int64)).astype(np.float32)
    transform = scipy.signal.ShortTimeFFT.from_window(
        "hann", sound.rate_hz, frame_samples, frame_samples - hop_samples, scale_to="psd"
    )
    first, last = transform.lower_border_end[1], transform.upper_border_begin(len(steps))[1]
    power = 2 * transform.spectrogram(steps)[1:, first:last]
    hz = transform.f[1:]
    response = difference_response(np.arange(1, len(hz) + 1), frame_samples)
    at = np.arange(first, last) * hop_samples
    floor = np.finfo(np.float32).tiny
    return Spectrogram(
        power=np.maximum(power / response[:, None], floor).astype(np.float32),
        hz=hz,
        times=tuple(sound.time_of(int(k)) for k in at),
    )


def difference_response(bins: NDArray[np.int_], frame_samples: int) -> NDArray[np.float64]:
    """Return what the first difference does to noise power in bins of a Hann frame, (F,) → (F,).

    Noise reaches a bin from its neighbours too, through the main lobe of the taper:
    1/6, 2/3 and 1/6 of its power.
    """
    below, at, above = (4 * np.sin(np.pi * (bins + k) / frame_samples) ** 2 for k in (-1, 0, 1))
    return np.asarray((below + 4 * at + above) / 6)
