"""Distances to the nearest typical windows, plain or against how close these lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from acoio.errors import DataError
from benchmarks.baselines.base import Floats, Input, Windows
from benchmarks.baselines.points import PointScorer, fit_points

_MOST_FITTED: Final = 10_000  # windows: each score is compared with all of them
_TINY: Final = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class KnnPca:
    """The mean distance to the `neighbours` nearest typical windows, in PCA places.

    With `local` it is taken relative to the same distance at those neighbours, so
    that the edge of a wide class does not count as strange.

    Source: Schubert, Zimek and Kriegel, Data Mining and Knowledge Discovery 28,
    2014, "simplified LOF", with mean distances.
    """

    components: int = 32
    neighbours: int = 20
    unit_energy: bool = False
    local: bool = False
    reads: Input = "normalised"
    name: ClassVar[str] = "kNN on PCA"

    def fit(self, typical: Windows, *, seed: int) -> PointScorer:
        """Return the baseline fitted to typical windows."""
        points, z = fit_points(
            typical, self.components, most=_MOST_FITTED, seed=seed, unit_energy=self.unit_energy
        )
        _check_neighbours(len(z), self.neighbours)
        nearest = NearestNeighbors(n_neighbors=self.neighbours, n_jobs=1).fit(z)
        own = nearest.kneighbors()[0].mean(axis=1)  # a window is not its own neighbour

        def distance(places: Floats) -> Floats:
            found, which = nearest.kneighbors(places)
            usual = np.maximum(own[which].mean(axis=1), _TINY) if self.local else 1.0
            return np.asarray(found.mean(axis=1) / usual)

        return PointScorer(points, distance)

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return two numbers of directions and of neighbours, level in or out, plain or local."""
        return tuple(
            cls(components, neighbours, unit_energy, local)
            for components in (16, 32)
            for neighbours in (5, 20)
            for unit_energy in (False, True)
            for local in (False, True)
        )


@dataclass(frozen=True)
class LofPca:
    """The local outlier factor among typical windows, in PCA places.

    Source: Breunig, Kriegel, Ng and Sander, SIGMOD 2000.
    """

    components: int = 32
    neighbours: int = 20
    unit_energy: bool = False
    reads: Input = "normalised"
    name: ClassVar[str] = "LOF on PCA"

    def fit(self, typical: Windows, *, seed: int) -> PointScorer:
        """Return the baseline fitted to typical windows."""
        points, z = fit_points(
            typical, self.components, most=_MOST_FITTED, seed=seed, unit_energy=self.unit_energy
        )
        _check_neighbours(len(z), self.neighbours)
        model = LocalOutlierFactor(n_neighbors=self.neighbours, novelty=True, n_jobs=1).fit(z)
        return PointScorer(points, lambda places: -model.score_samples(places))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return two numbers of directions and of neighbours, level in or out."""
        return tuple(
            cls(components, neighbours, unit_energy)
            for components in (16, 32)
            for neighbours in (5, 20, 50)
            for unit_energy in (False, True)
        )


def _check_neighbours(windows: int, neighbours: int) -> None:
    if not 0 < neighbours < windows:
        raise DataError(f"neighbours: found {windows} windows, wanted more than {neighbours}")
