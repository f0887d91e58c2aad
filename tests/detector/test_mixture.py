"""The mixture is a density: scikit-learn's, in any dtype, at any distance, in any order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from acoio.errors import DataError
from detector.networks.mixture import Mixture

from .blobs import blobs, some_mixture, theirs

CENTRES = [[0.0, 0.0], [4.0, 0.0], [0.0, 5.0]]
SHAPES = [(1, 1), (1, 5), (4, 2), (8, 32), (32, 64)]


def points(count: int, latent: int, *, seed: int = 9) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(count, latent, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("parts", "latent"), SHAPES)
def test_the_likelihood_is_that_of_scikit_learn(parts: int, latent: int) -> None:
    mixture, z = some_mixture(parts, latent), points(500, latent)
    wanted = theirs(mixture)
    assert np.abs(mixture(z).numpy() - wanted.score_samples(z.numpy())).max() < 1e-4
    assert np.allclose(mixture.responsibilities(z), wanted.predict_proba(z.numpy()), atol=1e-9)


@pytest.mark.parametrize(("parts", "latent"), SHAPES)
def test_in_float32_the_likelihood_is_that_of_scikit_learn_to_its_digits(
    parts: int, latent: int
) -> None:
    mixture, z = some_mixture(parts, latent), points(500, latent).float()
    wanted = theirs(mixture).score_samples(z.double().numpy())
    for found in (mixture(z), mixture.float()(z)):
        assert found.dtype == torch.float32
        assert np.allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("distance", [0.0, 1.0, 1e3, 1e9])
def test_nothing_underflows_in_float32_with_64_dimensions_and_32_parts(distance: float) -> None:
    mixture = some_mixture(32, 64).float()
    z = (distance * points(100, 64)).float().requires_grad_()
    likelihood = mixture(z)
    (slope,) = torch.autograd.grad(likelihood.sum(), z)
    shares = mixture.responsibilities(z.detach())
    assert torch.isfinite(likelihood).all() and torch.isfinite(slope).all()
    assert torch.allclose(shares.sum(dim=1), torch.ones(100))
    assert slope.abs().sum() > 0


def test_the_gradient_is_that_of_finite_differences() -> None:
    mixture, z = some_mixture(3, 4), points(6, 4).requires_grad_()
    assert torch.autograd.gradcheck(mixture, (z,))


def test_a_density_adds_up_to_one() -> None:
    """Over a square, two parts: by the midpoint rule."""
    line = torch.linspace(-12, 12, 600, dtype=torch.float64)
    z = torch.cartesian_prod(line, line)
    mass = some_mixture(2, 2)(z).exp().sum() * (line[1] - line[0]) ** 2
    assert float(mass) == pytest.approx(1, abs=1e-4)


def test_the_order_of_points_and_parts_changes_nothing() -> None:
    mixture, z = some_mixture(5, 3), points(300, 3)
    order, parts = torch.randperm(300), torch.tensor([3, 1, 4, 0, 2])
    other = Mixture.of(mixture.log_weights[parts], mixture.means[parts], mixture.factors[parts])
    assert torch.allclose(mixture(z)[order], mixture(z[order]), rtol=1e-12)
    assert torch.allclose(mixture(z), other(z), rtol=1e-12)
    first = mixture.fit(z, seed=None, most_steps=5, tolerance=0)
    second = other.fit(z[order], seed=None, most_steps=5, tolerance=0)
    assert np.allclose(first.log_likelihood, second.log_likelihood, rtol=1e-9)
    assert torch.allclose(mixture.means[parts], other.means, rtol=1e-6)


def test_a_point_has_the_same_likelihood_however_many_come_with_it() -> None:
    mixture, z = some_mixture(32, 64), points(200, 64)
    alone = torch.cat([mixture(one[None]) for one in z])
    assert torch.allclose(mixture(z), alone, rtol=1e-12)
    assert mixture(z[:0]).shape == (0,)


def test_a_new_mixture_is_a_standard_normal() -> None:
    z = points(50, 4)
    wanted = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1)
    assert torch.allclose(Mixture(3, 4)(z), wanted)


def test_it_finds_a_known_mixture() -> None:
    mixture = Mixture(3, 2)
    assert mixture.fit(blobs(3000, CENTRES), seed=3).converged
    order = [int((mixture.means - torch.tensor(c)).square().sum(1).argmin()) for c in CENTRES]
    assert np.allclose(mixture.means[order], CENTRES, atol=0.1)
    assert np.allclose(mixture.log_weights.exp(), 1 / 3, atol=0.05)
    assert np.allclose(mixture.factors @ mixture.factors.mT, 0.09 * np.eye(2), atol=0.02)


def test_what_is_drawn_has_the_moments_of_the_mixture_and_is_fitted_again() -> None:
    mixture = some_mixture(3, 4)
    z = mixture.sample(40_000, torch.Generator().manual_seed(1))
    weights, means = mixture.log_weights.exp(), mixture.means
    centre = weights @ means
    off = means - centre
    spread = torch.einsum("m,mij,mkj->ik", weights, mixture.factors, mixture.factors)
    spread = spread + torch.einsum("m,mi,mk->ik", weights, off, off)
    assert torch.allclose(z.mean(dim=0), centre, atol=0.05)
    assert torch.allclose(z.T.cov(), spread, atol=0.2)
    again = Mixture(3, 4)
    again.fit(z, seed=2)
    assert float((again(z) - mixture(z)).mean()) == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_fit_is_as_likely_as_that_of_scikit_learn(dtype: torch.dtype) -> None:
    z = some_mixture(6, 8, seed=5).sample(4000, torch.Generator().manual_seed(5)).to(dtype)
    mixture, rival = Mixture(6, 8), GaussianMixture(6, random_state=0, reg_covar=0)
    mixture.fit(z, seed=0)
    rival.fit(z.double().numpy())
    assert float(mixture(z).mean()) > rival.score(z.double().numpy()) - 0.01


def test_where_the_points_lie_costs_no_digits() -> None:
    z = blobs(600, CENTRES)
    here, there = Mixture(3, 2), Mixture(3, 2)
    here.fit(z, seed=1)
    there.fit(z + 1e6, seed=1)
    assert torch.allclose(here(z), there(z + 1e6), atol=1e-5)


def test_the_same_seed_gives_the_same_mixture() -> None:
    z, states = blobs(500, [[0, 0], [1, 1]]), []
    for _ in range(2):
        mixture = Mixture(3, 2)
        mixture.fit(z, seed=7)
        states.append(mixture.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_too_few_points_are_refused() -> None:
    with pytest.raises(DataError, match="found 79 points, wanted 80 for 8 parts"):
        Mixture(8, 2).fit(torch.zeros(79, 2), seed=0)
    with pytest.raises(DataError, match="found 0 points, wanted 1"):
        some_mixture(2, 2).update(torch.zeros(0, 2), rate=0.5)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 1e200])
def test_values_that_are_not_finite_are_refused_and_change_nothing(value: float) -> None:
    mixture, z = some_mixture(2, 3), points(50, 3)
    before = {name: tensor.clone() for name, tensor in mixture.state_dict().items()}
    z[7, 1] = z[9, 0] = value
    with pytest.raises(DataError, match="found 2 of 50 points that are not finite"):
        mixture.fit(z, seed=0)
    with pytest.raises(DataError, match="found 2 of 50 points that are not finite"):
        mixture.update(z, rate=0.5)
    assert all(torch.equal(before[name], t) for name, t in mixture.state_dict().items())


def test_parameters_that_do_not_fit_one_another_are_refused() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        Mixture.of(torch.zeros(1), torch.zeros(2, 3), torch.eye(3).repeat(2, 1, 1))


def test_mini_batches_lead_to_nearly_the_likelihood_of_the_whole_set() -> None:
    truth = some_mixture(4, 6, seed=8)
    z = truth.sample(20_000, torch.Generator().manual_seed(8))
    offline, online = Mixture(4, 6), Mixture(4, 6)
    offline.fit(z, seed=0)
    online.fit(z[:400], seed=0, most_steps=0)
    start = float(online(z).mean())
    for _ in range(2):
        for batch in z.split(200):
            online.update(batch)
    best = float(offline(z).mean())
    assert start < best - 0.1
    assert float(online(z).mean()) > best - 0.05
    assert int(online.seen) == 40_400


def test_an_update_at_full_rate_is_a_step_of_the_fit() -> None:
    z = some_mixture(4, 2).sample(500, torch.Generator().manual_seed(0)) + 0.3
    one, other = some_mixture(4, 2), some_mixture(4, 2)
    before = one.update(z, rate=1.0)
    fit = other.fit(z, seed=None, most_steps=1, tolerance=0)
    assert before == pytest.approx(fit.log_likelihood[0])
    assert torch.allclose(one.means, other.means) and torch.allclose(one.factors, other.factors)


def test_an_update_at_no_rate_moves_nothing() -> None:
    mixture, z = some_mixture(4, 3), points(50, 3)
    before = mixture(z)
    mixture.update(z, rate=0.0)
    assert torch.allclose(before, mixture(z), rtol=1e-9)


def test_mini_batches_go_on_after_saving_as_if_nothing_had_been() -> None:
    z = blobs(900, CENTRES)
    whole = Mixture(3, 2)
    whole.fit(z[:300], seed=1)
    whole.update(z[300:600])
    loaded = Mixture(3, 2)
    loaded.load_state_dict({name: tensor.clone() for name, tensor in whole.state_dict().items()})
    assert whole.update(z[600:]) == loaded.update(z[600:])
    assert torch.equal(whole(z), loaded(z))


def test_a_part_that_is_silent_for_long_is_found_again() -> None:
    z = blobs(3000, [[0, 0], [8, 0]])
    mixture = Mixture(2, 2)
    mixture.fit(z, seed=1)
    for _ in range(2000):
        mixture.update(z[z[:, 0] < 4][:100], rate=0.05)
    assert torch.isfinite(mixture(z)).all()
    for _ in range(200):
        mixture.update(z[:200], rate=0.05)
    assert sorted(mixture.means[:, 0].round().tolist()) == [0, 8]


def test_a_mixture_never_fitted_wants_a_rate() -> None:
    with pytest.raises(ValueError, match="never fitted"):
        Mixture(2, 2).update(torch.zeros(5, 2))
