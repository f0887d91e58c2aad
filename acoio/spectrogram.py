"""Sound → power in time and frequency."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from acoio.calibration import COUNTS, Calibration
from acoio.clock import from_us

if TYPE_CHECKING:
    from acoio.sound import Sound

FRAME_SAMPLES: Final = 4096
HOP_SAMPLES: Final = 1024
_BLOCK_SAMPLES: Final = 1 << 19  # in frames that overlap, at a time
_FLOOR: Final = np.finfo(np.float32).tiny


@dataclass(frozen=True, slots=True, eq=False)
class Spectrogram:
    """Power spectral density `power` (F, T) in counts²/Hz, at `hz` (F,) and `times` (T,) UTC.

    Frames that touch a gap are NaN.
    """

    power: NDArray[np.float32]
    hz: NDArray[np.float64]
    times: tuple[datetime, ...]

    def above_background_db(self) -> NDArray[np.float32]:
        """Return the level of each bin above its median over the whole, (F, T) dB."""
        level_db = 10 * np.log10(self.power)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN slice encountered")
            background_db = np.nanmedian(level_db, axis=1, keepdims=True)
        return np.asarray(level_db - background_db, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class LogSpectrogram:
    """Levels `level_db` (F, T), dB re `reference`, at `hz` (F,) and `times` (T,) UTC.

    Frames that touch a gap are NaN.
    """

    level_db: NDArray[np.float32]
    hz: NDArray[np.float64]
    times: tuple[datetime, ...]
    reference: str


@dataclass(frozen=True, slots=True, eq=False)
class Stft:
    """Complex spectra `values` (F, T), at `hz` (F,) from 0 on and `times` (T,) UTC.

    Scaled so that the square of a value is a two-sided density, counts²/Hz.
    Frames that touch a gap are NaN.
    """

    values: NDArray[np.complex64]
    hz: NDArray[np.float64]
    times: tuple[datetime, ...]


def spectrogram(
    sound: Sound, *, frame_samples: int = FRAME_SAMPLES, hop_samples: int = HOP_SAMPLES
) -> Spectrogram:
    """Return the spectrogram of a sound: Hann frames, centred on the times given.

    The first difference of the samples is transformed and its response taken out
    again, so that the swell does not leak over the bands of whales.  The bin of 0 Hz
    is left out.

    Raises
    ------
    ValueError
        If the sound is shorter than a frame.
    """
    frames = Frames(sound, frame_samples, hop_samples)
    power = np.empty((len(frames.hz) - 1, frames.count), np.float32)
    for first, block in frames.powers():
        power[:, first : first + block.shape[1]] = np.maximum(block, _FLOOR)
    return Spectrogram(power, frames.hz[1:], frames.times)


def logspectrogram(
    sound: Sound,
    calibration: Calibration = COUNTS,
    *,
    frame_samples: int = FRAME_SAMPLES,
    hop_samples: int = HOP_SAMPLES,
) -> LogSpectrogram:
    """Return the spectrogram in dB re 1 count²/Hz, or re 1 µPa²/Hz if calibrated."""
    spectrum = spectrogram(sound, frame_samples=frame_samples, hop_samples=hop_samples)
    level_db = np.log10(spectrum.power, out=spectrum.power)
    level_db *= 10
    level_db += np.float32(calibration.level_db(1.0))
    return LogSpectrogram(level_db, spectrum.hz, spectrum.times, f"1 {calibration.unit}²/Hz")


def stft(
    sound: Sound, *, frame_samples: int = FRAME_SAMPLES, hop_samples: int = HOP_SAMPLES
) -> Stft:
    """Return the complex spectra of a sound's Hann frames, (F, T): the swell is in them.

    `scipy.signal.ShortTimeFFT`; five minutes at 24 kHz are 115 MB.
    """
    frames = Frames(sound, frame_samples, hop_samples, difference=False)
    values = np.empty((len(frames.hz), frames.count), np.complex64)
    for first, block in frames.spectra():
        values[:, first : first + block.shape[1]] = block
    values[:, frames.in_gap] = np.nan
    return Stft(values, frames.hz, frames.times)


class Frames:
    """The whole Hann frames of a sound, transformed in blocks of bounded memory."""

    def __init__(
        self, sound: Sound, frame_samples: int, hop_samples: int, *, difference: bool = True
    ) -> None:
        if len(sound.samples) <= frame_samples:
            raise ValueError(_too_short(len(sound.samples), frame_samples))
        self._sound, self._difference = sound, difference
        self._plan = scipy.signal.ShortTimeFFT.from_window(
            "hann", sound.rate_hz, frame_samples, frame_samples - hop_samples, scale_to="psd"
        )
        self._first = self._plan.lower_border_end[1]
        steps = len(sound.samples) - difference
        self.count = self._plan.upper_border_begin(steps)[1] - self._first
        self.hz: NDArray[np.float64] = self._plan.f
        self.centres = (self._first + np.arange(self.count)) * hop_samples
        self.times = tuple(from_us(int(t)) for t in sound.times_us(self.centres))
        self.in_gap = self._touching_gaps()

    def _touching_gaps(self) -> NDArray[np.bool_]:
        begins = self.centres - self._plan.m_num_mid
        ends = begins + self._plan.m_num + self._difference
        touching = np.zeros(self.count, bool)
        for gap in self._sound.gaps:
            first, last = (self._sound.index_of(edge) for edge in (gap.begin, gap.end))
            touching |= (begins < last) & (ends > first)
        return touching

    def spectra(self) -> Iterator[tuple[int, NDArray[np.complex128]]]:
        """Yield the first frame and the spectra, (F, t), of each block."""
        plan = self._plan
        length = max(1, _BLOCK_SAMPLES // plan.m_num)
        for first in range(0, self.count, length):
            count = min(length, self.count - first)
            end = int(self.centres[first + count - 1]) - plan.m_num_mid + plan.m_num
            piece = self._sound.samples[first * plan.hop : end + self._difference]
            block: NDArray[np.float64] = piece.astype(np.float64)
            block = np.diff(block) if self._difference else block
            yield first, plan.stft(block, p0=self._first, p1=self._first + count)

    def powers(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield the first frame and the densities, (F − 1, t) counts²/Hz, of each block."""
        response = difference_response(np.arange(1, len(self.hz)), self._plan.m_num)[:, None]
        for first, spectra in self.spectra():
            power = 2 * np.abs(spectra[1:]) ** 2 / response
            power[-1] /= 2 - self._plan.m_num % 2  # half the rate has no mirror image
            power[:, self.in_gap[first : first + power.shape[1]]] = np.nan
            yield first, power


def _too_short(found: int, frame_samples: int) -> str:
    told = f"sound: found {found} samples, wanted over {frame_samples}, a frame"
    if found < 16:
        return told
    fits = 2 ** int(np.log2(found / 2))
    return f"{told}: give frame_samples={fits}, hop_samples={fits // 4}, or View, which fits them"


def difference_response(bins: NDArray[np.int_], frame_samples: int) -> NDArray[np.float64]:
    """Return what the first difference does to noise power in bins of a Hann frame, (F,) → (F,).

    Noise reaches a bin from its neighbours too, through the main lobe of the taper:
    1/6, 2/3 and 1/6 of its power.
    """
    below, at, above = (4 * np.sin(np.pi * (bins + k) / frame_samples) ** 2 for k in (-1, 0, 1))
    return np.asarray((below + 4 * at + above) / 6)
