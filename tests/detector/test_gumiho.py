"""Each rung of the ladder works by itself, and gradients go where the method says."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from acoio.errors import DataError
from detector.networks.gumiho import (
    DISCRIMINATOR,
    MIXTURE,
    RECONSTRUCTION,
    UNLIKELY,
    AutoEncoder,
    ConditionalGenerator,
    DiscriminatorNetwork,
    GumihoNetwork,
    VariationalAutoEncoder,
)
from detector.networks.layers import (
    ConvDecoder,
    ConvEncoder,
    Drawing,
    LinearDecoder,
    LinearEncoder,
    LinearEvidence,
)
from detector.networks.losses import kl_to_prior, squared_error
from detector.networks.mixture import Mixture

BANDS, COLUMNS, H, Z = 6, 5, 7, 3


def encoder() -> LinearEncoder:
    return LinearEncoder(BANDS, COLUMNS, hidden=8, interface=H)


def decoder() -> LinearDecoder:
    return LinearDecoder(BANDS, COLUMNS, hidden=8, interface=H)


def error(x: Tensor, drawn: Tensor) -> Tensor:
    return squared_error(x, drawn).sum(dim=1)


def windows(count: int = 4) -> Tensor:
    return torch.randn(count, BANDS, COLUMNS, generator=torch.Generator().manual_seed(0))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def reached(network: nn.Module) -> set[str]:
    """Return the children that a gradient has reached, tails by their names."""
    names = (n for n, p in network.named_parameters() if p.grad is not None and p.grad.any())
    return {n.split(".")[1] if n.startswith("tails.") else n.split(".")[0] for n in names}


def gumiho() -> GumihoNetwork:
    network = GumihoNetwork(encoder(), decoder(), interface=H, latent=Z)
    network.add_tail("other", Drawing(decoder(), interface=H, latent=Z), loss=error)
    network.add_tail("odds", LinearEvidence(H), loss=lambda x, e: e.sum(1), reads="interface")
    return network


def discriminator() -> DiscriminatorNetwork:
    return DiscriminatorNetwork(encoder(), decoder(), interface=H, latent=Z, parts=2)


def test_an_autoencoder_learns_to_copy() -> None:
    torch.manual_seed(1)
    network = AutoEncoder(ConvEncoder(8, 8, (4, 8)), ConvDecoder(8, 8, (4, 8)))
    x = torch.rand(16, 8, 8)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    errors = []
    for _ in range(60):
        loss = error(x, network(x)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append(loss.item())
    assert errors[-1] < 0.3 * errors[0]


def test_the_bound_is_error_and_divergence_at_a_drawn_latent_vector() -> None:
    network = VariationalAutoEncoder(encoder(), decoder(), interface=H, latent=Z)
    x = windows()
    mean, log_variance = network.encode(x)
    z = mean + torch.exp(0.5 * log_variance) * torch.randn(4, Z, generator=generator(3))
    expected = error(x, network.decode(z)) + kl_to_prior(mean, log_variance)
    assert torch.allclose(network.bound(x, error, generator=generator(3)), expected)


def test_what_comes_out_is_drawn_of_the_mean() -> None:
    network = VariationalAutoEncoder(encoder(), decoder(), interface=H, latent=Z)
    assert torch.equal(network(windows()), network.decode(network.encode(windows())[0]))


def test_the_bound_trains_every_layer_of_the_autoencoder_and_no_tail() -> None:
    network = gumiho()
    network.bound(windows(), error, generator=generator()).sum().backward()
    assert reached(network) == {"encoder", "mean", "log_variance", "eta", "decoder"}


@pytest.mark.parametrize(
    ("tail", "expected"),
    [("other", {"encoder", "mean", "other"}), ("odds", {"encoder", "odds"})],
)
def test_a_tail_trains_itself_and_what_it_grows_on(tail: str, expected: set[str]) -> None:
    network = gumiho()
    network.loss(windows(), tail).sum().backward()
    assert reached(network) == expected


def test_the_mixture_tail_moves_the_encoder_and_not_itself() -> None:
    network = discriminator()
    network.loss(windows(), MIXTURE).sum().backward()
    assert reached(network) == {"encoder", "mean"}
    assert torch.equal(network(windows(), MIXTURE), network.mixture(network.encode(windows())[0]))


def test_the_first_tail_is_the_autoencoder_itself() -> None:
    network = gumiho()
    z = network.encode(windows())[0]
    assert torch.equal(network(windows(), RECONSTRUCTION), network.decode(z))
    assert torch.equal(network.draw(z), network.decode(z))
    assert torch.equal(network.draw(z, "other"), network(windows(), "other"))


def test_tails_are_known_by_their_names() -> None:
    network = gumiho()
    for name in ("other", RECONSTRUCTION):
        with pytest.raises(ValueError, match="wanted another name"):
            network.add_tail(name, LinearEvidence(H), loss=error)
    with pytest.raises(KeyError, match="none such"):
        network(windows(), "none such")
    with pytest.raises(KeyError, match=r"found none grown as 'reconstruction', wanted .*'odds'"):
        network.loss(windows(), RECONSTRUCTION)
    with pytest.raises(ValueError, match="wanted one on the latent"):
        network.draw(torch.zeros(1, Z), "odds")


def conditional() -> ConditionalGenerator:
    network = ConditionalGenerator(encoder(), decoder(), interface=H, latent=Z)
    network.add_condition("right", lambda z: z[:, 0] > 0)
    network.add_condition("far right", lambda z: z[:, 0] > 1.6449)
    network.add_condition("nowhere", lambda z: z[:, 0] > 99)
    return network


def test_all_that_is_generated_fulfils_its_condition() -> None:
    made = conditional().generate(500, condition="right", generator=generator())
    assert made.latent.shape == (500, Z)
    assert made.drawn.shape == (500, BANDS, COLUMNS)
    assert (made.latent[:, 0] > 0).all()
    assert made.latent[:, 1].mean().abs() < 0.15  # what no condition is on stays N(0, 1)
    assert not made.drawn.requires_grad


@pytest.mark.parametrize(("condition", "share"), [("right", 0.5), ("far right", 0.05)])
def test_the_share_accepted_is_that_of_the_prior(condition: str, share: float) -> None:
    _, accepted = conditional().latents(20_000, condition=condition, generator=generator())
    assert accepted == pytest.approx(share, rel=0.05)


def test_a_condition_that_nothing_fulfils_is_an_error_and_not_a_hang() -> None:
    with pytest.raises(DataError, match=r"condition 'nowhere': found 0 of 256000 .* wanted 3"):
        conditional().generate(3, condition="nowhere", generator=generator())
    with pytest.raises(KeyError):
        conditional().generate(3, condition="unheard of", generator=generator())


def test_the_same_seed_draws_the_same() -> None:
    first, second = (
        conditional().generate(9, condition="right", generator=generator(4)) for _ in range(2)
    )
    assert torch.equal(first.latent, second.latent)


def test_unlikely_vectors_are_those_below_the_limit_of_the_mixture() -> None:
    network = discriminator()
    assert isinstance(network.mixture, Mixture)
    network.limit.fill_(-6.0)
    z, accepted = network.latents(1000, condition=UNLIKELY, generator=generator())
    assert (network.mixture(z) < -6).all()
    # ln N(z; 0, I) in three dimensions is under -6 where |z|^2 > 12 - 3 ln 2 pi: chi-squared.
    assert accepted == pytest.approx(
        1
        - torch.special.gammainc(
            torch.tensor(1.5), torch.tensor((12 - 3 * 1.8378770664) / 2)
        ).item(),
        rel=0.1,
    )


def test_nothing_is_unlikely_before_there_is_a_limit() -> None:
    with pytest.raises(DataError):
        discriminator().latents(1, condition=UNLIKELY, generator=generator())
    assert DISCRIMINATOR not in discriminator().tails


def by_copy(network: DiscriminatorNetwork) -> DiscriminatorNetwork:
    return copy.deepcopy(network)


def by_file(network: DiscriminatorNetwork) -> DiscriminatorNetwork:
    file = io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    assert isinstance(loaded, DiscriminatorNetwork)
    return loaded


@pytest.mark.parametrize("copied", [by_copy, by_file])
def test_a_copy_has_a_limit_and_a_mixture_of_its_own(
    copied: Callable[[DiscriminatorNetwork], DiscriminatorNetwork],
) -> None:
    first = discriminator()
    first.limit.fill_(-6.0)
    other = copied(first)
    other.limit.fill_(torch.inf)
    other.mixture.means.fill_(9.0)
    assert other.latents(500, condition=UNLIKELY, generator=generator())[1] == 1
    assert first.latents(500, condition=UNLIKELY, generator=generator())[1] < 0.2
    other.limit.fill_(-torch.inf)
    with pytest.raises(DataError):
        other.latents(1, condition=UNLIKELY, generator=generator())


def test_nothing_is_drawn_where_nothing_is_wanted() -> None:
    made = conditional().generate(0, condition="right", generator=generator())
    assert made.latent.shape == (0, Z)
    assert made.drawn.shape == (0, BANDS, COLUMNS)
    assert made.accepted == pytest.approx(0.5, abs=0.1)
