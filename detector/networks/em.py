"""Expectation-maximisation of a Gaussian mixture on a whole set of points.

The law: the likelihood never falls from one step to the next, but by rounding; also
where the floor on the variances bites, and where an empty part is reseeded.

Source: Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM
algorithm", JRSS B 39(1), 1977.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from detector.networks.gaussians import (
    Gaussians,
    Moments,
    expect,
    floored_factors,
    gather,
    maximise,
)
from detector.networks.kmeans import kmeans

_EMPTY: Final = 1.0  # a part with less than one point in all
_TRIAL: Final = 10  # steps that a reseeded part has to prove itself
_APART: Final = 0.8  # deviations from the middle, where a part is made two; below 1


@dataclass(frozen=True)
class Fit:
    """How a fit went: mean nats a point before the first of its `steps` and after each.

    Where an empty part was `reseeded`, that step is one with all that let it prove itself.
    """

    steps: int
    converged: bool
    log_likelihood: tuple[float, ...]
    reseeded: int


@dataclass(frozen=True, eq=False)
class _State:
    """A mixture and what the points say of it: moments, and the log density of each (n,)."""

    mixture: Gaussians
    moments: Moments
    total: Tensor

    @property
    def mean(self) -> float:
        return float(self.total.mean())


def start(z: Tensor, parts: int, *, seed: int, floor: float) -> Gaussians:
    """Return a mixture with a part for each cluster of k-means, (n, Z) → M parts."""
    labels, centres = kmeans(z, parts, seed=seed)
    plain = Gaussians.standard(parts, z.shape[1], z)
    round_each = Gaussians(plain.log_weights, centres, plain.factors)
    shares = one_hot(labels, parts).to(z.dtype)
    pieces = zip(plain.chunks(z), plain.chunks(shares), strict=True)
    return maximise(round_each.moments().blend(gather(pieces, centres), 1), floor)


def climb(
    mixture: Gaussians, z: Tensor, *, floor: float, most_steps: int, tolerance: float
) -> tuple[Gaussians, Fit]:
    """Return where EM leads from a mixture until a step gains less than the tolerance."""
    state, reseeded, converged = _look(mixture, z), 0, False
    reached = [state.mean]
    while not converged and len(reached) <= most_steps:
        state = _look(_maximised(state, floor), z)
        if state.mean - reached[-1] < tolerance:
            better = _with_empty_reseeded(state, z, floor)
            converged, reseeded = better is None, reseeded + (better is not None)
            state = better or state
        reached.append(state.mean)
    return state.mixture, Fit(len(reached) - 1, converged, tuple(reached), reseeded)


def _look(mixture: Gaussians, z: Tensor) -> _State:
    return _State(mixture, *expect(mixture, z))


def _with_empty_reseeded(state: _State, z: Tensor, floor: float) -> _State | None:
    """Return the state after an empty part is put to use, if the points are likelier for it.

    Otherwise there is none: the likelihood falls at no reseeding either.
    """
    empty = (state.moments.share * len(z) < _EMPTY).nonzero()
    if not len(empty):
        return None
    seeded = _look(_reseeded(state, z, int(empty[0]), floor), z)
    for _ in range(_TRIAL):
        seeded = _look(_maximised(seeded, floor), z)
    return seeded if seeded.mean > state.mean else None


def _maximised(state: _State, floor: float) -> Gaussians:
    return maximise(state.mixture.moments().blend(state.moments, 1), floor)


def _reseeded(state: _State, z: Tensor, part: int, floor: float) -> Gaussians:
    """Return the mixture where a part takes half of the one that looks most like two.

    The two have the moments that the one had, and lie apart along its longest axis.
    """
    mixture, share = state.mixture, state.moments.share
    covariances = mixture.factors @ mixture.factors.mT
    values, vectors = torch.linalg.eigh(covariances)
    axes = vectors[:, :, -1] * values[:, -1:].sqrt()  # (M, Z)
    gain = share * (3 - _kurtosis(state, z, axes)).clamp(min=0).square()
    gain[part] = -1
    whole = int(gain.argmax())
    by = _APART * axes[whole]
    weights, means, factors = (
        mixture.moments().share,
        mixture.means.clone(),
        mixture.factors.clone(),
    )
    weights[part] = weights[whole] = weights[whole] / 2
    means[part], means[whole] = means[whole] - by, means[whole] + by
    factors[[part, whole]] = floored_factors((covariances[whole] - by[:, None] * by)[None], floor)
    return Gaussians(weights.log() - weights.sum().log(), means, factors)


def _kurtosis(state: _State, z: Tensor, axes: Tensor) -> Tensor:
    """Return the fourth moment of each part along its axis (M, Z): 3 of one Gaussian, 1 of two."""
    mixture, fourth = state.mixture, torch.zeros_like(state.moments.share)
    along = axes / axes.square().sum(dim=1, keepdim=True)
    for chunk in mixture.chunks(z):
        shares = mixture.joint(chunk).softmax(dim=1)
        white = chunk @ along.T - (mixture.means * along).sum(dim=1)  # (n, M)
        fourth += (shares * white**4).sum(dim=0)
    return fourth / (len(z) * state.moments.share).clamp(min=_EMPTY)
