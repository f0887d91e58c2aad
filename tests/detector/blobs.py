"""Points of known Gaussians, and mixtures that nothing was fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from detector.networks.mixture import Mixture


def blobs(count: int, centres: Sequence[Sequence[float]], *, seed: int = 0) -> Tensor:
    """Return points with a deviation of 0.3 about centres, (n, Z)."""
    generator = np.random.default_rng(seed)
    z = generator.normal(0, 0.3, (count, len(centres[0])))
    return torch.from_numpy(z + np.asarray(centres)[generator.integers(len(centres), size=count)])


def some_mixture(parts: int, latent: int, *, seed: int = 0) -> Mixture:
    """Return a mixture of unlike weights, places and shapes."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    shape = 0.5 * normal(parts, latent, latent) / latent**0.5
    covariances = shape @ shape.mT + 0.1 * torch.eye(latent)
    return Mixture.of(
        normal(parts).log_softmax(dim=0),
        2 * normal(parts, latent),
        torch.linalg.cholesky(covariances),
    )


def theirs(mixture: Mixture) -> GaussianMixture:
    """Return scikit-learn's mixture of the same parameters."""
    found = GaussianMixture(len(mixture.means))
    factors = mixture.factors.double().numpy()
    found.weights_ = mixture.log_weights.double().exp().numpy()
    found.means_ = mixture.means.double().numpy()
    found.covariances_ = factors @ factors.swapaxes(1, 2)
    unit = np.eye(factors.shape[1])
    found.precisions_cholesky_ = np.linalg.solve(factors, unit).swapaxes(1, 2)
    return found
