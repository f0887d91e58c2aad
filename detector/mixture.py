"""A Gaussian mixture with full covariances, fitted in log space.

Source: Dempster, Laird and Rubin 1977 (EM); Bishop, "Pattern Recognition and
Machine Learning", section 9.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from acoio.errors import DataError

_Floats = NDArray[np.float64]
_FLOOR: Final = 1e-4  # added to each variance, so that no part collapses on a point
_CONVERGED: Final = 1e-4  # nats a point


@dataclass(frozen=True, eq=False)
class Mixture:
    """Parts with `log_weights` (K,), `means` (K, Z) and lower Cholesky factors (K, Z, Z)."""

    log_weights: _Floats
    means: _Floats
    factors: _Floats

    def log_likelihood(self, z: _Floats) -> _Floats:
        """Return the log density of points, (n, Z) → (n,) nats."""
        return np.asarray(logsumexp(self._joint(z), axis=1))

    def _joint(self, z: _Floats) -> _Floats:
        joint = np.empty((len(z), len(self.means)))
        for k, (mean, factor) in enumerate(zip(self.means, self.factors, strict=True)):
            white = solve_triangular(factor, (z - mean).T, lower=True)
            volume = np.log(np.diag(factor)).sum() + 0.5 * z.shape[1] * np.log(2 * np.pi)
            joint[:, k] = self.log_weights[k] - volume - 0.5 * np.square(white).sum(axis=0)
        return joint


def fit_mixture(z: _Floats, parts: int, *, seed: int, most_steps: int = 200) -> Mixture:
    """Return the mixture that EM finds from a k-means start, (n, Z) → K parts.

    Raises
    ------
    DataError
        If there are fewer than ten points for each part.
    """
    if len(z) < 10 * parts:
        raise DataError(f"mixture: found {len(z)} points, wanted {10 * parts} for {parts} parts")
    start = kmeans2(z, parts, minit="++", rng=np.random.default_rng(seed))[1]
    mixture = _maximise(z, np.eye(parts)[start])
    before = -np.inf
    for _ in range(most_steps):
        joint = mixture._joint(z)
        total = logsumexp(joint, axis=1)
        mixture = _maximise(z, np.exp(joint - total[:, None]))
        if float(total.mean()) - before < _CONVERGED:
            break
        before = float(total.mean())
    return mixture


def _maximise(z: _Floats, share: _Floats) -> Mixture:
    count = share.sum(axis=0) + 10 * np.finfo(float).eps
    means = share.T @ z / count[:, None]
    factors = np.empty((len(count), z.shape[1], z.shape[1]))
    for k, mean in enumerate(means):
        off = z - mean
        covariance = (share[:, k, None] * off).T @ off / count[k]
        factors[k] = np.linalg.cholesky(covariance + _FLOOR * np.eye(z.shape[1]))
    return Mixture(np.log(count / count.sum()), means, factors)
