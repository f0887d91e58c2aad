"""Parameters and sufficient statistics are two forms of one thing; the floor is a maximum."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from detector.networks.gaussians import Gaussians, expect, floored_factors, maximise

from .blobs import some_mixture


def gaussians(parts: int, latent: int) -> Gaussians:
    mixture = some_mixture(parts, latent)
    return Gaussians(mixture.log_weights, mixture.means, mixture.factors)


def covariance(*variances: float) -> Tensor:
    """Return a covariance (1, Z, Z) of these variances along turned axes."""
    generator = torch.Generator().manual_seed(3)
    size = len(variances)
    axes = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64)).Q
    found: Tensor = (axes * torch.tensor(variances, dtype=torch.float64)) @ axes.T
    return found[None]


def expected(covariance: Tensor, factor: Tensor) -> float:
    """Return the mean log density that points of a covariance have under a factor, nats."""
    inverse = torch.cholesky_inverse(factor)
    return -float((inverse * covariance).sum() / 2 + factor.diagonal().log().sum())


def test_moments_and_back_is_the_same_mixture() -> None:
    first = gaussians(5, 7)
    again = maximise(first.moments(), 1e-9)
    assert torch.allclose(first.log_weights, again.log_weights)
    assert torch.allclose(first.means, again.means)
    assert torch.allclose(first.factors, again.factors)


def test_shares_are_of_all_points_and_moments_those_of_the_points() -> None:
    z = torch.randn(700, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    moments, total = expect(gaussians(5, 7), z)
    assert total.shape == (700,)
    assert float(moments.share.sum()) == pytest.approx(1)
    about, share = moments.about, moments.share
    first = moments.first + share[:, None] * about
    assert torch.allclose(first.sum(dim=0), z.mean(dim=0))
    off = moments.first[:, :, None] * about[:, None, :]
    square = share[:, None, None] * about[:, :, None] * about[:, None, :]
    second = moments.second + off + off.mT + square
    assert torch.allclose(second.sum(dim=0), z.T @ z / 700)


def test_a_covariance_above_the_floor_is_as_it_was() -> None:
    wanted = covariance(0.5, 1, 2)
    factor = floored_factors(wanted, 0.4)
    assert torch.equal(factor, torch.linalg.cholesky(wanted))


@pytest.mark.parametrize("low", [0.3, 1e-3, 0.0, -1e-12])
def test_variances_below_the_floor_are_raised_to_it_and_no_others(low: float) -> None:
    factor = floored_factors(covariance(low, 1, 2), 0.4)[0]
    assert torch.equal(factor, factor.tril()) and bool((factor.diagonal() > 0).all())
    assert torch.allclose(factor @ factor.T, covariance(0.4, 1, 2)[0])


def test_nothing_above_the_floor_is_likelier_than_what_is_raised_to_it() -> None:
    given, floor = covariance(0.1, 0.3, 2), 0.4
    best = expected(given[0], floored_factors(given, floor)[0])
    generator = torch.Generator().manual_seed(4)
    for size in (1e-3, 1e-2, 0.1, 1.0) * 25:
        noise = torch.randn(3, 3, generator=generator, dtype=torch.float64) * size
        other = floored_factors(given + noise @ noise.T, floor)[0]
        assert expected(given[0], other) <= best + 1e-12
    added = torch.linalg.cholesky(given[0] + floor * torch.eye(3))
    assert expected(given[0], added) < best
