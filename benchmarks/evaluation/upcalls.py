"""Clips of right whales and of what else sounds: read, halved, and made windows of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from benchmarks.baselines.base import Windows

_FRAME, _HOP = 256, 64  # samples: 7.8 Hz and 32 ms
_BINS: Final = slice(4, 60)  # 31 to 461 Hz
_ROOT: Final = 3.0  # of power: a louder call counts for more than its dB, and not for all
_MOST: Final = 12.0  # deviations
_Rows: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Clips:
    """Sound of unit deviation, (n, k) each, and its rate."""

    rate_hz: float
    typical: Windows
    background: Windows
    upcall: Windows


@dataclass(frozen=True, eq=False)
class Half:
    """Rows of background and of calls."""

    background: _Rows
    upcall: _Rows

    def sound(self, clips: Clips) -> Windows:
        """Return its clips, background first, (n, k)."""
        return np.concatenate([clips.background[self.background], clips.upcall[self.upcall]])


@dataclass(frozen=True, eq=False)
class Norm:
    """Mean and deviation of each band of typical sound, (1, F, 1)."""

    mean: Windows
    deviation: Windows

    def __call__(self, excess_db: Windows) -> Windows:
        """Return the network's input, (n, F, T) dB → (n, F, T)."""
        return np.asarray(
            np.minimum((_rooted(excess_db) - self.mean) / self.deviation, _MOST), np.float32
        )

    @classmethod
    def of(cls, typical_db: Windows) -> Norm:
        """Return that of typical windows, (n, F, T) dB."""
        x = _rooted(typical_db)
        return cls(x.mean(axis=(0, 2), keepdims=True), x.std(axis=(0, 2), keepdims=True))


def halve(backgrounds: int, upcalls: int, share: float, *, seed: int) -> tuple[Half, Half]:
    """Return what is in *various*, with a share of calls, and what is tested.

    The test is the same for every share, and has half of the calls.
    """
    rng = np.random.default_rng(seed)
    background, upcall = rng.permutation(backgrounds), rng.permutation(upcalls)
    n, half = backgrounds // 2, upcalls // 2
    calls = min(round(n * share / (1 - share)), half)
    return Half(background[:n], upcall[:calls]), Half(background[n:], upcall[half:])


def excess_db(sound: Windows, rate_hz: float) -> Windows:
    """Return levels above each band's median in its own clip, (n, k) → (n, F, T) dB."""
    power = signal.spectrogram(
        sound, rate_hz, window="hann", nperseg=_FRAME, noverlap=_FRAME - _HOP, detrend=False
    )[2][:, _BINS]
    levels_db = 10 * np.log10(power + 1e-12)
    return np.asarray(levels_db - np.median(levels_db, axis=2, keepdims=True), np.float32)


def read(path: Path) -> Clips:
    """Return the clips of an npz file, each scaled to unit deviation."""
    with np.load(path) as file:
        kinds = [file[kind].astype(np.float32) for kind in ("typical", "background", "upcall")]
        rate_hz = float(file["rate_hz"])
    return Clips(rate_hz, *(x / x.std(axis=1, keepdims=True) for x in kinds))


def _rooted(levels_db: Windows) -> Windows:
    return np.asarray(np.power(10, levels_db / np.float32(10 * _ROOT)), np.float32)
