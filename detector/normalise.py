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

from detector.values import Window

_Floats = NDArray[np.float32]
_DB_PER_CUBE_ROOT: Final = 30.0  # 10 ** (dB / 10) to the power of 1/3
_LOUDEST: Final = 12.0  # standard deviations: nothing louder says more


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
        """Return network input, windows → (B, F, T).

        A band that has lately been more restless than typical sound is, is
        believed the less.
        """
        excess_db, spread_db = _stack(windows)
        restless = np.maximum(spread_db / self.spread_db, 1)[:, :, None]
        root = _cube_root(excess_db / restless)
        scaled = (root - self.mean[:, None]) / self.deviation[:, None]
        return np.asarray(np.minimum(scaled, _LOUDEST), np.float32)


def fit_normalisation(typical: Sequence[Window]) -> Normalisation:
    """Return the statistics of typical windows."""
    excess_db, spread_db = _stack(typical)
    root = _cube_root(excess_db)
    return Normalisation(
        mean=root.mean(axis=(0, 2), dtype=np.float64).astype(np.float32),
        deviation=root.std(axis=(0, 2), dtype=np.float64).astype(np.float32),
        spread_db=np.median(spread_db, axis=0),
    )


def _stack(windows: Sequence[Window]) -> tuple[_Floats, _Floats]:
    """Return excess (B, F, T) and spread (B, F) of windows, dB."""
    excess_db = np.stack([window.excess_db for window in windows])
    return excess_db, np.stack([window.spread_db for window in windows])


def _cube_root(excess_db: _Floats) -> _Floats:
    return np.asarray(np.power(np.float32(10), excess_db / np.float32(_DB_PER_CUBE_ROOT)))
