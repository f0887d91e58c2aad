"""The mixture is a density, fitted by steps that never lose likelihood."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from acoio.errors import DataError
from detector.mixture import Mixture, fit_mixture


def blobs(count: int, centres: list[list[float]], *, seed: int = 0) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    z = generator.normal(0, 0.3, (count, len(centres[0])))
    return np.asarray(z + np.asarray(centres)[generator.integers(len(centres), size=count)])


def test_the_density_is_that_of_its_gaussians() -> None:
    mixture = fit_mixture(blobs(600, [[0, 0, 1], [3, 1, 0]]), 2, seed=1)
    z = np.random.default_rng(2).normal(size=(50, 3))
    parts = [
        weight + multivariate_normal(mean, factor @ factor.T).logpdf(z)
        for weight, mean, factor in zip(
            mixture.log_weights, mixture.means, mixture.factors, strict=True
        )
    ]
    assert np.allclose(mixture.log_likelihood(z), logsumexp(parts, axis=0))


def test_it_finds_the_centres() -> None:
    centres = [[0.0, 0.0], [4.0, 0.0], [0.0, 5.0]]
    mixture = fit_mixture(blobs(3000, centres), 3, seed=3)
    found = sorted(mixture.means.round(1).tolist())
    assert np.allclose(found, sorted(centres), atol=0.1)
    assert np.allclose(np.exp(mixture.log_weights), 1 / 3, atol=0.05)


def test_the_likelihood_never_falls_from_step_to_step() -> None:
    z = blobs(500, [[0, 0], [1, 1], [2, 0]], seed=4)
    steps = [
        float(fit_mixture(z, 4, seed=4, most_steps=n).log_likelihood(z).mean())
        for n in range(1, 30)
    ]
    assert all(after >= before - 1e-6 for before, after in itertools.pairwise(steps))


def test_points_on_a_line_do_not_break_it() -> None:
    line = np.outer(np.linspace(0, 1, 400), np.ones(6))
    assert np.isfinite(fit_mixture(line, 4, seed=5).log_likelihood(line)).all()


def test_far_points_have_a_finite_likelihood_in_many_dimensions() -> None:
    z = np.random.default_rng(6).normal(size=(3000, 64))
    mixture = fit_mixture(z, 32, seed=6)
    assert np.isfinite(mixture.log_likelihood(100 * z[:10])).all()


def test_too_few_points_are_refused() -> None:
    with pytest.raises(DataError, match="found 79 points, wanted 80 for 8 parts"):
        fit_mixture(np.zeros((79, 2)), 8, seed=0)


def test_the_same_seed_gives_the_same_mixture() -> None:
    z = blobs(500, [[0, 0], [1, 1]])
    first, second = (fit_mixture(z, 3, seed=7) for _ in range(2))
    assert isinstance(first, Mixture)
    assert np.array_equal(first.means, second.means)
