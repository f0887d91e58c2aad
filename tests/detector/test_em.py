"""EM climbs: with a floor that bites, parts that are empty, points that are degenerate."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from detector.networks import em
from detector.networks.em import Fit
from detector.networks.gaussians import Gaussians
from detector.networks.mixture import Mixture

from .blobs import blobs, some_mixture

UNIT = torch.eye(2, dtype=torch.float64)


def climbs(fit: Fit) -> bool:
    pairs = itertools.pairwise(fit.log_likelihood)
    return all(after >= before - 1e-11 * (1 + abs(before)) for before, after in pairs)


def variances(mixture: Mixture) -> Tensor:
    found: Tensor = torch.linalg.eigvalsh(mixture.factors @ mixture.factors.mT)
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("floor", [1e-6, 0.02, 0.05, 0.3, 2.0])
def test_the_likelihood_never_falls_from_step_to_step(floor: float, seed: int) -> None:
    """Variances of the blobs are 0.09: the floor bites nowhere, here and there, or everywhere."""
    z = blobs(400, [[0, 0, 1], [1, 1, 0], [2, 0, 0]], seed=seed) * torch.tensor([1, 0.7, 0.4])
    mixture = Mixture(4, 3, floor=floor)
    fit = mixture.fit(z, seed=seed, most_steps=60, tolerance=-1.0)
    assert fit.steps == 60 and len(fit.log_likelihood) == 61
    assert climbs(fit)
    assert fit.log_likelihood[-1] == pytest.approx(float(mixture(z).mean()), rel=1e-12)
    assert float(variances(mixture).min()) >= floor * (1 - 1e-9)
    assert (float(variances(mixture).min()) < floor * (1 + 1e-9)) == (floor >= 0.02)


def test_it_climbs_from_anywhere() -> None:
    z = some_mixture(6, 5, seed=1).sample(1500, torch.Generator().manual_seed(1))
    fits = [some_mixture(6, 5, seed=k).fit(z, seed=None, tolerance=-1) for k in range(2, 6)]
    assert all(climbs(fit) for fit in fits)


def test_it_says_whether_it_converged() -> None:
    z = blobs(500, [[0, 0], [1, 1], [2, 0]])
    short = Mixture(3, 2).fit(z, seed=0, most_steps=2, tolerance=1e-9)
    long = Mixture(3, 2).fit(z, seed=0, most_steps=5000, tolerance=1e-9)
    assert (short.steps, short.converged) == (2, False)
    assert long.converged and long.steps < 5000
    gains = [after - before for before, after in itertools.pairwise(long.log_likelihood)]
    assert gains[-1] < 1e-9 <= min(gains[:-1])


def test_empty_parts_are_reseeded_where_one_part_holds_two() -> None:
    """One part holds three blobs and two others lie where no point ever is."""
    centres = [[0.0, 0.0], [6.0, 0.0], [0.0, 7.0]]
    z = blobs(900, centres, seed=1)
    means = torch.tensor([[1.0, 1.0], [900.0, 0.0], [0.0, -900.0]], dtype=torch.float64)
    mixture = Mixture.of(torch.zeros(3).log_softmax(dim=0), means, UNIT.repeat(3, 1, 1))
    fit = mixture.fit(z, seed=None)
    assert fit.reseeded == 2 and fit.converged
    assert climbs(fit)
    assert sorted(mixture.means.round().abs().tolist()) == sorted(centres)


@pytest.mark.parametrize("seed", range(6))
def test_every_empty_part_is_put_to_use_and_never_at_a_loss(seed: int) -> None:
    z = some_mixture(5, 4, seed=seed).sample(3000, torch.Generator().manual_seed(seed))
    mixture, alone = Mixture(5, 4), Mixture(1, 4)
    mixture.means += 1e3 * torch.arange(5)[:, None]
    fit = mixture.fit(z, seed=None)
    assert climbs(fit) and fit.reseeded == 4
    assert fit.log_likelihood[-1] > alone.fit(z, seed=0).log_likelihood[-1] + 0.5
    assert float(mixture.responsibilities(z).sum(dim=0).min()) > 10


def test_a_reseeding_that_makes_points_less_likely_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(state: em._State, *_: object) -> Gaussians:
        return state.mixture.shifted(torch.tensor(50.0))

    monkeypatch.setattr(em, "_reseeded", lost)
    monkeypatch.setattr(em, "_TRIAL", 0)
    mixture = Mixture(3, 2)
    mixture.means[2] += 1e3
    fit = mixture.fit(blobs(300, [[0.0, 0.0], [3.0, 1.0]]), seed=None)
    assert climbs(fit) and fit.converged and fit.reseeded == 0


def test_a_fit_finds_its_way_from_where_every_density_underflows() -> None:
    mixture = Mixture(3, 2)
    mixture.means += torch.arange(6).view(3, 2)
    fit = mixture.fit(blobs(300, [[1e5, 0.0], [0.0, 2e5]]), seed=None)
    assert climbs(fit) and fit.log_likelihood[-1] > -2


def test_a_part_that_helps_no_point_is_left_and_harms_none() -> None:
    """All points are one: no place is better than another."""
    z = torch.ones(100, 2, dtype=torch.float64)
    mixture = Mixture(4, 2)
    fit = mixture.fit(z, seed=1)
    assert climbs(fit) and fit.converged
    assert all(bool(torch.isfinite(t).all()) for t in mixture.state_dict().values())
    alone = Mixture(1, 2)
    alone.fit(z, seed=1)
    assert float(mixture(z)[0]) == pytest.approx(float(alone(z)[0]), abs=1e-6)


def few_places() -> Tensor:
    return torch.eye(3, 5).repeat(40, 1)


def on_a_line() -> Tensor:
    return torch.linspace(0, 1, 400)[:, None] * torch.ones(6)


def constant_dimension() -> Tensor:
    z = torch.cat((blobs(300, [[0.0, 0.0], [3.0, 1.0]]), torch.full((300, 1), 7.0)), dim=1)
    return z.float()


def fewer_points_than_dimensions() -> Tensor:
    return torch.randn(40, 64, generator=torch.Generator().manual_seed(0))


def one_far_away() -> Tensor:
    z = blobs(300, [[0.0, 0.0], [3.0, 1.0]])
    z[5] = 1e12
    return z


def unlike_scales() -> Tensor:
    return blobs(300, [[0.0, 0.0, 0.0]]) * torch.tensor([1e-4, 1.0, 1e4])


@pytest.mark.parametrize(
    "points",
    [
        few_places,
        on_a_line,
        constant_dimension,
        fewer_points_than_dimensions,
        one_far_away,
        unlike_scales,
    ],
)
def test_degenerate_points_leave_all_finite(points: object) -> None:
    assert callable(points)
    z = points()
    mixture = Mixture(4, z.shape[1])
    fit = mixture.fit(z, seed=5)
    assert all(bool(torch.isfinite(t).all()) for t in mixture.state_dict().values())
    assert bool(torch.isfinite(mixture(z)).all())
    assert bool(torch.isfinite(mixture.float()(100 * z.float())).all())
    assert fit.log_likelihood[-1] >= fit.log_likelihood[0]
