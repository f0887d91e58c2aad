"""Losses have their known values, and the lemma's loss its direction."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from detector.networks.losses import (
    binary_cross_entropy,
    kl_to_prior,
    neyman_pearson,
    power_law,
    sparse_excess,
    squared_error,
)


def test_squared_error_is_half_the_square_by_band() -> None:
    x = torch.tensor([[[1.0, 2.0], [0.0, 3.0]]])
    assert squared_error(x, torch.zeros_like(x)).tolist() == [[2.5, 4.5]]


def test_cross_entropy_is_the_likelihood_of_bernoulli_variables_by_band() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randint(2, (3, 4, 5), generator=generator).float()
    p = torch.rand(3, 4, 5, generator=generator)
    expected = -torch.distributions.Bernoulli(p).log_prob(x).sum(2)
    assert torch.allclose(binary_cross_entropy(x, p), expected, rtol=1e-4)


def test_cross_entropy_is_least_where_windows_are_drawn_as_they_are() -> None:
    x = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(2))
    drawn = x.clone().requires_grad_()
    binary_cross_entropy(x, drawn).sum().backward()
    assert drawn.grad is not None and drawn.grad.abs().max() < 1e-3
    assert (binary_cross_entropy(x, x) < binary_cross_entropy(x, (x + 0.1) / 1.2)).all()


@pytest.mark.parametrize(("x", "logit"), [(0.0, 500.0), (1.0, -500.0), (0.0, -500.0), (1.0, 500.0)])
def test_cross_entropy_and_its_gradient_stay_finite_at_the_ends(x: float, logit: float) -> None:
    logits = torch.full((1, 1, 2), logit, requires_grad=True)
    value = binary_cross_entropy(torch.full((1, 1, 2), x), torch.sigmoid(logits)).sum()
    value.backward()
    right = (logit > 0) == (x > 0)
    assert value.item() == pytest.approx(0 if right else 2 * math.log(1e6), rel=0.01, abs=1e-4)
    assert logits.grad is not None and torch.isfinite(logits.grad).all()


def test_the_prior_has_no_divergence_from_itself() -> None:
    assert kl_to_prior(torch.zeros(2, 3), torch.zeros(2, 3)).tolist() == [0.0, 0.0]


def test_divergence_is_that_of_two_gaussians() -> None:
    mean, log_variance = torch.tensor([[0.7]]), torch.tensor([[-0.4]])
    q = torch.distributions.Normal(0.7, math.exp(-0.2))
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
    assert kl_to_prior(mean, log_variance).item() == pytest.approx(expected.item(), rel=1e-5)


def test_sparse_excess_is_a_log_likelihood_ratio() -> None:
    """The mean ratio under the null is one: what its numerator integrates to."""
    places = torch.randn(2_000_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    at_or_above_zero = places.clamp_min(0).reshape(-1, 1, 1)
    ratio = sparse_excess(at_or_above_zero).exp()
    upper = ratio[at_or_above_zero.flatten() > 0]
    # Above zero N(0, 1) holds one half, and the rare part all of its 0.01.
    assert upper.mean().item() / 2 == pytest.approx(0.5 * 0.99 + 0.01, rel=0.02)


def test_sparse_excess_hears_loud_places_and_is_deaf_to_quiet_ones() -> None:
    residual = torch.tensor([0.0, -8.0, 2.0, 4.0, 12.0]).reshape(5, 1, 1)
    zero, silent, weak, loud, loudest = sparse_excess(residual).flatten().tolist()
    assert silent == zero == pytest.approx(math.log(0.9984), abs=1e-4)
    assert zero < weak < 1 < loud < loudest
    assert math.isfinite(loudest)


def noise(count: int, bands: int = 20, columns: int = 24) -> torch.Tensor:
    return torch.randn(count, bands, columns, generator=torch.Generator().manual_seed(4))


def test_the_power_law_is_the_published_formula_against_an_even_window() -> None:
    x = noise(3, bands=6, columns=8).double()
    u = x.clamp_min(0).numpy() ** 1.5
    for window, told in zip(u, power_law(x).sum(1).tolist(), strict=True):
        a = window / np.sqrt(np.square(window).sum(0, keepdims=True))
        b = window / np.sqrt(np.square(window).sum(1, keepdims=True))
        spectra = (a**4 * b).sum(0)
        most = max(spectra[k : k + 2].mean() for k in range(7))
        assert told == pytest.approx(math.log1p(most * 6 * math.sqrt(8)), rel=1e-3)


def test_the_power_law_asks_not_how_loud_a_window_is() -> None:
    x = noise(4)
    assert torch.allclose(power_law(7 * x), power_law(x), rtol=1e-3)


def test_a_narrow_sound_that_lasts_is_told_in_its_band_whenever_it_is() -> None:
    x = noise(2)
    x[0, 7, 3:10] += 6
    x[1, 7, 14:21] += 6
    for told, quiet in zip(power_law(x), power_law(noise(2)), strict=True):
        assert told.argmax() == 7 and told[7] > 0.5 * told.sum()
        assert told.sum() > quiet.sum()


@pytest.mark.parametrize("value", [0.0, -3.0, 1.0, 12.0])
def test_an_even_window_of_any_level_has_as_much_evidence_in_each_band(value: float) -> None:
    told = power_law(torch.full((2, 5, 9), value))
    assert torch.allclose(told, torch.full((2, 5), math.log(2) / 5), rtol=1e-4)


def test_the_power_law_of_a_window_is_that_of_the_window_alone() -> None:
    x = noise(9)
    alone = torch.cat([power_law(window[None]) for window in x])
    assert torch.allclose(power_law(x), alone, rtol=1e-5)


def test_the_lemma_s_loss_falls_as_the_scores_part() -> None:
    typical = torch.randn(2000, generator=torch.Generator().manual_seed(2))
    losses = [neyman_pearson(typical, typical + shift, 0.05).item() for shift in (0, 1, 2, 4)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx(0, abs=0.01)
    assert losses[-1] == pytest.approx(0.05 - 1, abs=0.08)


def test_the_lemma_s_loss_does_not_saturate_for_scores_of_any_size() -> None:
    """A step softened by a fixed width learns nothing from scores of a thousand nats."""
    scores = torch.randn(500, generator=torch.Generator().manual_seed(3))
    for scale in (0.01, 1.0, 1000.0):
        atypical = (scale * (scores + 1)).requires_grad_()
        neyman_pearson(scale * scores, atypical, 0.05).backward()
        assert atypical.grad is not None
        assert (atypical.grad.abs() * scale).mean() > 1e-5
