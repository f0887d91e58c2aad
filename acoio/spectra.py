"""Sound → spectra averaged over time, cepstra and autocorrelation.

Powers come from `acoio.spectrogram`'s frames: the swell does not leak into them,
and frames that touch a gap are left out of means, and NaN where there is no mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from acoio.calibration import COUNTS, Calibration
from acoio.clock import from_us
from acoio.filters import BLOCK_SAMPLES, blocks
from acoio.spectrogram import FRAME_SAMPLES, HOP_SAMPLES, Frames, Spectrogram

if TYPE_CHECKING:
    from acoio.sound import Sound

_TINY: Final = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True, eq=False)
class PowerSpectrum:
    """Mean power spectral density `power` (F,) in counts²/Hz, at `hz` (F,)."""

    power: NDArray[np.float64]
    hz: NDArray[np.float64]

    def level_db(self, calibration: Calibration = COUNTS) -> NDArray[np.float64]:
        """Return the level of each bin, (F,) dB re 1 count²/Hz, or re 1 µPa²/Hz if calibrated."""
        return calibration.level_db(self.power)


@dataclass(frozen=True, slots=True, eq=False)
class Cepstrum:
    """Real cepstra `values` (Q, T) at quefrencies `lags_s` (Q,) from 0 on and `times` (T,) UTC."""

    values: NDArray[np.float32]
    lags_s: NDArray[np.float64]
    times: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Autocorrelation:
    """`values` (L,), 1 at lag 0, at `lags_s` (L,)."""

    values: NDArray[np.float64]
    lags_s: NDArray[np.float64]


def power(
    sound: Sound, *, frame_samples: int = FRAME_SAMPLES, hop_samples: int = HOP_SAMPLES
) -> PowerSpectrum:
    """Return the mean power spectral density of a sound, by Welch's method with Hann frames.

    Raises
    ------
    ValueError
        If the sound is shorter than a frame, or gaps leave no whole one.

    Notes
    -----
    Source: P. D. Welch, "The use of fast Fourier transform for the estimation of power
    spectra", IEEE Trans. Audio and Electroacoustics 15, 1967.
    """
    frames = Frames(sound, frame_samples, hop_samples)
    heard = frames.count - int(np.count_nonzero(frames.in_gap))
    if not heard:
        raise ValueError(f"sound: found gaps in every frame of {frame_samples} samples")
    total = np.zeros(len(frames.hz) - 1)
    for _, block in frames.powers():
        total += np.nansum(block, axis=1)
    return PowerSpectrum(total / heard, frames.hz[1:])


def ltsa(
    sound: Sound,
    average: timedelta = timedelta(seconds=10),
    *,
    frame_samples: int = FRAME_SAMPLES,
    hop_samples: int = FRAME_SAMPLES // 2,
) -> Spectrogram:
    """Return the long-term spectral average: mean power of each `average` of time, (F, T).

    A frame counts for the time its centre lies in; `times` are the middles.  The last
    may be shorter.
    """
    length = sound.count(average)
    if length < hop_samples:
        raise ValueError(f"average: found {average}, wanted a hop of {hop_samples} samples or more")
    frames = Frames(sound, frame_samples, hop_samples)
    group = frames.centres // length
    kept = np.arange(group[0], group[-1] + 1)
    total = np.zeros((len(frames.hz) - 1, len(kept)))
    for first, block in frames.powers():
        columns = group[first : first + block.shape[1]] - group[0]
        for column in np.unique(columns):
            total[:, column] += np.nansum(block[:, columns == column], axis=1)
    count = np.bincount(group[~frames.in_gap] - group[0], minlength=len(kept))
    total[:, count == 0] = np.nan
    middles = (kept * length + np.minimum((kept + 1) * length, len(sound.samples))) / 2
    return Spectrogram(
        power=(total / np.maximum(count, 1)).astype(np.float32),
        hz=frames.hz[1:],
        times=tuple(from_us(int(t)) for t in sound.times_us(middles)),
    )


def cepstrum(
    sound: Sound, *, frame_samples: int = FRAME_SAMPLES, hop_samples: int = HOP_SAMPLES
) -> Cepstrum:
    """Return the real cepstra of a sound's frames, (Q, T): an echo peaks at its delay.

    Notes
    -----
    Source: A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing", the inverse
    transform of the logarithm of the magnitude; the bin of 0 Hz is taken as the first.
    """
    frames = Frames(sound, frame_samples, hop_samples)
    values = np.empty((frame_samples // 2 + 1, frames.count), np.float32)
    for first, block in frames.powers():
        log_magnitude = np.log(np.maximum(block, _TINY)) / 2
        log_magnitude = np.concatenate([log_magnitude[:1], log_magnitude])
        lags = scipy.fft.irfft(log_magnitude, n=frame_samples, axis=0)
        values[:, first : first + block.shape[1]] = lags[: len(values)]
    return Cepstrum(values, np.arange(len(values)) / sound.rate_hz, frames.times)


def autocorr(sound: Sound, longest: timedelta = timedelta(seconds=1)) -> Autocorrelation:
    """Return the autocorrelation up to a lag, (L,), over the power of the whole.

    No mean is taken out: where there is a swell, take it out before (`highpass`).
    A sound of silence has zeros.

    Raises
    ------
    ValueError
        If the lag is not within the sound.
    """
    lags, n = sound.count(longest), len(sound.samples)
    if not 0 <= lags < n:
        raise ValueError(f"autocorrelation: found {longest}, wanted under {sound.duration}")
    total = np.zeros(lags + 1)
    for first, last in blocks(0, n, max(BLOCK_SAMPLES, lags)):
        late = sound.samples[first : last + lags].astype(np.float64)
        late = np.pad(late, (0, last + lags - first - len(late)))
        early = late[: last - first]
        total += scipy.signal.correlate(late, early, mode="valid", method="fft")
    values = total / total[0] if total[0] > 0 else np.zeros(lags + 1)
    return Autocorrelation(values, np.arange(lags + 1) / sound.rate_hz)
