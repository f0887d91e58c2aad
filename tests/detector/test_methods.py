"""What each method says of a window, and where its loss sends gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from detector.networks.gumiho import DISCRIMINATOR
from detector.networks.losses import binary_cross_entropy, power_law, sparse_excess, squared_error
from detector.networks.methods import Discriminating, Method, NetworkSettings, Ratio, build
from detector.training.phases import TrainSettings, separation_of

SETTINGS = NetworkSettings(bands=13, columns=10, latent=3, channels=(4, 6), parts=2)


def network(method: Method, **changes: bool) -> Discriminating:
    torch.manual_seed(0)
    made = build(replace(SETTINGS, method=method, **changes))  # type: ignore[arg-type]
    made.limit.fill_(torch.inf)  # every latent vector is unlikely
    return made


def windows(count: int = 6) -> torch.Tensor:
    return torch.randn(count, 13, 10, generator=torch.Generator().manual_seed(1))


def reached(made: Discriminating) -> set[str]:
    names = (n for n, p in made.named_parameters() if p.grad is not None and p.grad.any())
    return {n.split(".")[1] if n.startswith("tails.") else n.split(".")[0] for n in names}


def step(made: Discriminating, **changes: float) -> None:
    settings = replace(TrainSettings(fakes=0.5, fidelity=0.0), **changes)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(2)
    separation_of(
        made.train(), settings, typical=windows(), various=windows() + 1, generator=generator
    )[0].backward()


@pytest.mark.parametrize("method", ["published", "ratio"])
def test_evidence_is_told_by_band(method: Method) -> None:
    evidence = network(method).eval().evidence(windows())
    assert evidence.shape == (6, 13)
    assert torch.isfinite(evidence).all()


def test_the_published_score_is_the_error_of_the_discriminator_tail() -> None:
    made = network("published").eval()
    drawn = made(windows(), DISCRIMINATOR)
    assert torch.equal(made.evidence(windows()), squared_error(windows(), drawn))


def test_a_discriminator_tail_starts_as_the_reconstruction_tail() -> None:
    made = network("published").eval()
    assert not torch.equal(made(windows(), DISCRIMINATOR), made(windows()))
    made.start_discriminator()
    assert torch.equal(made(windows(), DISCRIMINATOR), made(windows()))


def test_the_ratio_is_what_the_tail_knows_and_what_a_statistic_says() -> None:
    for noise, statistic in ((True, sparse_excess), (False, power_law)):
        made = network("ratio", noise=noise).eval()
        tail = made(windows(), DISCRIMINATOR).sum(1)
        said = 0.5 * statistic(windows()).sum(1)
        assert torch.allclose(made.evidence(windows()).sum(1), tail + said, atol=1e-4)


def test_no_statistic_is_told_of_windows_whose_shape_is_what_is_unusual() -> None:
    torch.manual_seed(0)
    made = build(replace(SETTINGS, noise=False, evidence="whole")).eval()
    tail = made(windows(), DISCRIMINATOR).sum(1)
    assert torch.allclose(made.evidence(windows()).sum(1), tail, atol=1e-5)


@pytest.mark.parametrize("noise", [True, False])
def test_the_evidence_of_a_window_of_nothing_is_finite(noise: bool) -> None:
    made = network("ratio", noise=noise).eval()
    assert torch.isfinite(made.evidence(torch.zeros(2, 13, 10))).all()


def test_the_ratio_s_loss_is_that_of_logistic_regression() -> None:
    made = network("ratio").eval()
    x, y = windows(), windows() + 1
    odds = made.evidence(torch.cat((x, y))).sum(1)
    target = torch.cat((torch.zeros(6), torch.ones(6)))
    expected = 2 * torch.nn.functional.binary_cross_entropy_with_logits(odds, target)
    assert torch.allclose(made.separation(x, y, 0.01), expected)


def test_the_weight_of_the_power_law_is_learnt() -> None:
    made = network("ratio", noise=False)
    step(made)
    assert isinstance(made, Ratio)
    assert made.weight.grad is not None and made.weight.grad.abs() > 0


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("published", {"encoder", "mean", DISCRIMINATOR}),
        ("ratio", {"encoder", DISCRIMINATOR, "weight", "offset"}),
    ],
)
def test_the_second_phase_trains_the_encoder_and_its_tail_alone(
    method: Method, expected: set[str]
) -> None:
    """Simulated anomalies are given: no gradient goes back to who drew them."""
    made = network(method)
    step(made)
    assert reached(made) == expected


@pytest.mark.parametrize("method", ["published", "ratio"])
def test_fidelity_keeps_the_autoencoder_in_training(method: Method) -> None:
    made = network(method)
    step(made, fidelity=0.1)
    assert {"eta", "decoder", "mean", "log_variance"} <= reached(made)


def fakes_of(made: Discriminating) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the simulated anomalies of a step, and what was drawn for them."""
    settings = TrainSettings(fakes=1.0, fidelity=0.0)
    seen: list[torch.Tensor] = []
    made.separation = lambda typical, atypical, rho: seen.append(atypical) or atypical.sum()  # type: ignore[method-assign, func-returns-value]
    first, second = (torch.Generator().manual_seed(2) for _ in range(2))
    separation_of(made, settings, typical=windows(), various=windows(), generator=first)
    return seen[0], made.eval().generate(6, condition="unlikely", generator=second).drawn


def test_simulated_anomalies_wear_the_noise_of_typical_windows() -> None:
    made = network("ratio").eval()
    fakes, drawn = fakes_of(made)
    assert torch.allclose(fakes - drawn, windows() - made(windows()), atol=1e-5)


@pytest.mark.parametrize("noise", [True, False])
def test_simulated_anomalies_as_published_are_what_was_drawn(noise: bool) -> None:
    fakes, drawn = fakes_of(network("published", noise=noise).eval())
    assert torch.equal(fakes, drawn)


@pytest.mark.parametrize("method", ["published", "ratio"])
def test_a_drawing_by_a_sigmoid_is_that_of_bernoulli_variables(method: Method) -> None:
    torch.manual_seed(0)
    made = build(replace(SETTINGS, method=method, output="sigmoid")).eval()
    x = windows().sigmoid()
    assert torch.equal(made.error(x, made(x)), binary_cross_entropy(x, made(x)).sum(1))
    plain = network(method).eval()
    assert torch.equal(plain.error(x, plain(x)), squared_error(x, plain(x)).sum(1))
