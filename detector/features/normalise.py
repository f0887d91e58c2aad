"""Window levels in dB → network input with nearly Gaussian noise of unit variance.

The power of noise in a band is chi-squared, and its logarithm has a long tail
towards silence that a squared error mistakes for news.  The cube root is nearly
Gaussian whatever the degrees of freedom, and leaves calls standing out.

Source: Wilson and Hilferty, "The distribution of chi-square", PNAS 17, 1931.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.errors import DataError
from detector.values import Window

_Floats = NDArray[np.float32]
_CHUNK: Final = 2048  # windows at a time
_DB_PER_CUBE_ROOT: Final = 30.0  # 10 ** (dB / 10) to the power of 1/3
_LOUDEST: Final = 12.0  # standard deviations: nothing louder says more


@dataclass(frozen=True, eq=False)
class Levels:
    """What is kept of many windows: `excess_db` (n, F, T) float16, `spread_db` (n, F)."""

    excess_db: NDArray[np.float16]
    spread_db: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Normalisation:
    """Statistics of typical sound, each (F,).

    `mean` and `deviation` of the cube root of power above background, and
    `spread_db`, the usual distance from the background down to the quiet level.
    """

    mean: _Floats
    deviation: _Floats
    spread_db: _Floats

    def __call__(self, windows: Sequence[Window]) -> _Floats:
        """Return network input, windows → (B, F, T)."""
        excess_db = np.stack([window.excess_db for window in windows])
        return self._input(excess_db, np.stack([window.spread_db for window in windows]))

    def of(self, levels: Levels) -> NDArray[np.float16]:
        """Return network input of many windows, (n, F, T)."""
        out = np.empty(levels.excess_db.shape, np.float16)
        for k in range(0, len(out), _CHUNK):
            excess_db = levels.excess_db[k : k + _CHUNK].astype(np.float32)
            out[k : k + _CHUNK] = self._input(excess_db, levels.spread_db[k : k + _CHUNK])
        return out

    def _input(self, excess_db: _Floats, spread_db: _Floats) -> _Floats:
        """Return network input, (B, F, T) and (B, F) dB → (B, F, T).

        A band that has lately been more restless than typical sound is, is
        believed the less.
        """
        restless = np.maximum(spread_db / self.spread_db, 1)[:, :, None]
        root = _cube_root(excess_db / restless)
        scaled = (root - self.mean[:, None]) / self.deviation[:, None]
        return np.asarray(np.minimum(scaled, _LOUDEST), np.float32)


def fit_normalisation(typical: Levels) -> Normalisation:
    """Return the statistics of typical windows.

    Raises
    ------
    DataError
        If a band is always alike, as that of a dead hydrophone.
    """
    bands = typical.spread_db.shape[1]
    count, total, square = 0, np.zeros(bands), np.zeros(bands)
    for k in range(0, len(typical.excess_db), _CHUNK):
        root = _cube_root(typical.excess_db[k : k + _CHUNK].astype(np.float32)).astype(np.float64)
        count += root.shape[0] * root.shape[2]
        total += root.sum(axis=(0, 2))
        square += np.square(root).sum(axis=(0, 2))
    mean = total / count
    deviation = np.sqrt(np.maximum(square / count - mean**2, 0))
    spread_db = np.median(typical.spread_db, axis=0)
    silent = np.flatnonzero((deviation <= 0) | (spread_db <= 0))
    if silent.size:
        raise DataError(f"typical sound: found bands {silent.tolist()} always alike, wanted noise")
    return Normalisation(mean.astype(np.float32), deviation.astype(np.float32), spread_db)


def _cube_root(excess_db: _Floats) -> _Floats:
    return np.asarray(np.power(np.float32(10), excess_db / np.float32(_DB_PER_CUBE_ROOT)))
