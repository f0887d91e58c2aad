"""Windows → points of few dimensions, which the fitted baselines work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from acoio.errors import DataError
from benchmarks.baselines.base import Floats, Windows, check_windows, in_chunks, some


@dataclass(frozen=True, eq=False)
class Points:
    """Places of windows of one `shape` (F, T) along the main directions of typical sound.

    With `unit_energy` each window is first scaled to energy 1, so that its level
    says nothing; without `pca` the places are the bins themselves.
    """

    shape: tuple[int, ...]
    unit_energy: bool
    pca: Any

    def __call__(self, x: Windows) -> Floats:
        """Return the places of windows, (n, F, T) → (n, k)."""
        flat = self.flat(x)
        return np.asarray(flat if self.pca is None else self.pca.transform(flat), np.float64)

    def flat(self, x: Windows) -> Windows:
        """Return windows as rows, (n, F, T) → (n, F * T)."""
        rows = x.reshape(len(x), -1)
        if not self.unit_energy:
            return rows
        norm = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(norm, np.finfo(np.float32).tiny))

    def error(self, x: Windows) -> Floats:
        """Return half the squared error that the main directions leave, (n, F, T) → (n,)."""
        flat = self.flat(x)
        drawn = self.pca.inverse_transform(self.pca.transform(flat))
        return np.asarray(0.5 * np.square(flat - drawn).sum(axis=1, dtype=np.float64))


@dataclass(frozen=True, eq=False)
class PointScorer:
    """A fitted baseline: `points` of windows, and what scores them, (n, k) → (n,)."""

    points: Points
    of_points: Callable[[Floats], Any]

    def score(self, x: Windows) -> Floats:
        """Return how unusual windows are, (n, F, T) → (n,)."""
        check_windows(x, self.points.shape)
        return in_chunks(lambda part: np.asarray(self.of_points(self.points(part)), float), x)


def fit_points(
    typical: Windows,
    components: int | None,
    *,
    most: int,
    seed: int,
    unit_energy: bool = False,
) -> tuple[Points, Floats]:
    """Return the points of windows, and the places of those used, (n, F, T) → (most, k).

    Raises
    ------
    DataError
        If there are not more windows than components, or fewer bins than components.
    """
    check_windows(typical)
    wanted, bins = components or 1, typical.shape[1] * typical.shape[2]
    if len(typical) <= wanted or bins < wanted:
        raise DataError(
            f"PCA: found {len(typical)} windows of {bins} bins, wanted over {wanted} windows "
            f"of at least {wanted} bins"
        )
    used = some(typical, most, seed=seed)
    points = Points(typical.shape[1:], unit_energy, None)
    if components is not None:
        pca = PCA(components, random_state=seed).fit(points.flat(used))
        points = Points(points.shape, unit_energy, pca)
    return points, points(used)
