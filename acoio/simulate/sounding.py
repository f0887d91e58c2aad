"""One sound placed in the ocean: a waveform, where it begins and what it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.fft
from numpy.random import Generator
from numpy.typing import NDArray

from acoio.simulate.streams import RATE_HZ
from acoio.simulate.truth import Kind

Waveform = NDArray[np.float32]
Maker = Callable[[Generator, Generator], Waveform]
"""`(voice, shape) → (n,)` at any level: the voice is kept through a bout, the shape is not."""

BAND_SHARE: Final = 0.98  # of a waveform's energy lies within the band it is said to have
_FRAME_S: Final = 0.05
_LOUD_DB: Final = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Sounding:
    """A waveform in counts, (n,), that begins at a sample of the ocean.

    `snr_db` is its power re the background's, both in its own band while it
    sounds, that is where it is `loud`.
    """

    begin: int
    waveform: Waveform
    low_hz: float
    high_hz: float
    label: str
    kind: Kind
    snr_db: float

    @property
    def end(self) -> int:
        """The sample after the last one."""
        return self.begin + len(self.waveform)

    def add_to(self, block: Waveform, first: int) -> None:
        """Add the sound to a block that begins at sample `first`."""
        low, high = max(self.begin, first), min(self.end, first + len(block))
        if low < high:
            block[low - first : high - first] += self.waveform[low - self.begin : high - self.begin]


def band_of(waveform: Waveform) -> tuple[float, float]:
    """Return the band that holds `BAND_SHARE` of a waveform's energy, in Hz."""
    size = scipy.fft.next_fast_len(len(waveform), real=True)
    energy = np.abs(scipy.fft.rfft(waveform, size)) ** 2
    share = np.cumsum(energy, dtype=np.float64) / energy.sum(dtype=np.float64)
    tail = (1.0 - BAND_SHARE) / 2.0
    low, high = np.searchsorted(share, [tail, 1.0 - tail])
    low_hz, high_hz = low * RATE_HZ / size, min((high + 1) * RATE_HZ / size, RATE_HZ / 2)
    # Told to a tenth of a hertz, within what there is.
    return max(round(float(low_hz), 1), 0.1), math.floor(10 * high_hz) / 10


def loud(waveform: Waveform) -> NDArray[np.bool_]:
    """Return where a waveform sounds, `(n,) → (n,)`: a train of clicks is mostly silence.

    It sounds in the frames of 50 ms, about what a listener takes together, whose power
    is within 30 dB of the loudest frame's.
    """
    starts = np.arange(0, len(waveform), round(_FRAME_S * RATE_HZ))
    lengths = np.diff(starts, append=len(waveform))
    power = np.add.reduceat(np.square(waveform, dtype=np.float64), starts) / lengths
    return np.repeat(power > power.max() * 10.0 ** (-_LOUD_DB / 10.0), lengths)


def at_level(waveform: Waveform, power: float) -> Waveform:
    """Return the waveform scaled to a power in its own band while it sounds, in counts²."""
    found = BAND_SHARE * float(np.mean(np.square(waveform[loud(waveform)], dtype=np.float64)))
    return waveform * np.float32(np.sqrt(power / found))
