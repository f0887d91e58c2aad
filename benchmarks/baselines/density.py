"""Models of typical sound as a whole: what they leave over, or find thin."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
from sklearn import ensemble, svm
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from acoio.errors import DataError
from benchmarks.baselines.base import Floats, Input, Windows, check_windows, in_chunks
from benchmarks.baselines.points import Points, PointScorer, fit_points

_MOST_FITTED: Final = 10_000  # windows: 92 MB of 96 bands and 24 spectra
_MOST_VECTORS: Final = 2000  # windows of the support vector machine, whose time is their square
_FLOOR: Final = 1e-3  # of the mean variance, so that no part of a mixture collapses on a point


@dataclass(frozen=True)
class PcaError:
    """What `components` main directions of typical sound cannot draw."""

    components: int = 32
    reads: Input = "normalised"
    name: ClassVar[str] = "PCA error"

    def fit(self, typical: Windows, *, seed: int) -> FittedPcaError:
        """Return the baseline fitted to typical windows."""
        points, _ = fit_points(typical, self.components, most=_MOST_FITTED, seed=seed)
        return FittedPcaError(points)

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return few to many directions."""
        return tuple(cls(components) for components in (4, 8, 16, 32, 64))


@dataclass(frozen=True, eq=False)
class FittedPcaError:
    """The main directions of typical sound."""

    points: Points

    def score(self, x: Windows) -> Floats:
        """Return the squared error of windows, (n, F, T) → (n,)."""
        check_windows(x, self.points.shape)
        return in_chunks(self.points.error, x)


@dataclass(frozen=True)
class GmmPca:
    """How unlikely a mixture of `parts` Gaussians, fitted to PCA places, finds a window."""

    components: int = 32
    parts: int = 10
    reads: Input = "normalised"
    name: ClassVar[str] = "GMM on PCA"

    def fit(self, typical: Windows, *, seed: int) -> PointScorer:
        """Return the baseline fitted to typical windows.

        Raises
        ------
        DataError
            If there are fewer than two windows for each part.
        """
        points, z = fit_points(typical, self.components, most=_MOST_FITTED, seed=seed)
        if len(z) < 2 * self.parts:
            wanted = f"{2 * self.parts} for {self.parts} parts"
            raise DataError(f"mixture: found {len(z)} windows, wanted {wanted}")
        floor = _FLOOR * float(z.var(axis=0).mean()) + float(np.finfo(np.float32).tiny)
        model = GaussianMixture(self.parts, reg_covar=floor, random_state=seed)
        with warnings.catch_warnings():
            # EM that has not settled in a hundred steps is still a mixture, and is scored as one.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(z)
        return PointScorer(points, lambda places: -model.score_samples(places))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return two numbers of directions by three of parts."""
        return tuple(cls(components, parts) for components in (16, 32) for parts in (5, 10, 20))


@dataclass(frozen=True)
class IsolationForest:
    """How few random cuts set a window apart, in PCA places or (None) in the bins themselves."""

    components: int | None = 32
    samples: int = 256
    trees: int = 200
    reads: Input = "normalised"
    name: ClassVar[str] = "isolation forest"

    def fit(self, typical: Windows, *, seed: int) -> PointScorer:
        """Return the baseline fitted to typical windows."""
        points, z = fit_points(typical, self.components, most=_MOST_FITTED, seed=seed)
        model = ensemble.IsolationForest(
            n_estimators=self.trees,
            max_samples=min(self.samples, len(z)),
            n_jobs=1,
            random_state=seed,
        ).fit(z)
        return PointScorer(points, lambda places: -model.score_samples(places))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return cuts in places and in bins, by two sizes of tree."""
        return tuple(cls(components, n) for components in (16, 32, None) for n in (256, 1024))


@dataclass(frozen=True)
class OneClassSvm:
    """How far outside the smooth border of typical sound a window lies, in PCA places.

    `nu` bounds the share of typical windows left outside; `width` times the usual
    1 / (k var) is the kernel's gamma.  Beyond every window's reach all score alike,
    so a narrow kernel cannot rank what is far away.
    """

    components: int = 32
    nu: float = 0.1
    width: float = 1.0
    reads: Input = "normalised"
    name: ClassVar[str] = "one-class SVM"

    def fit(self, typical: Windows, *, seed: int) -> PointScorer:
        """Return the baseline fitted to at most 2000 typical windows."""
        points, z = fit_points(typical, self.components, most=_MOST_VECTORS, seed=seed)
        gamma = self.width / (z.shape[1] * max(float(z.var()), np.finfo(np.float32).tiny))
        model = svm.OneClassSVM(kernel="rbf", nu=self.nu, gamma=gamma).fit(z)
        return PointScorer(points, lambda places: -model.score_samples(places))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return two numbers of directions, by two shares outside, by two widths."""
        return tuple(
            cls(components, nu, width)
            for components in (16, 32)
            for nu in (0.01, 0.1)
            for width in (0.1, 1.0)
        )
