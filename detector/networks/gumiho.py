"""The gumiho networks, each rung of the ladder usable by itself.

AutoEncoder → VariationalAutoEncoder → GumihoNetwork → ConditionalGenerator →
DiscriminatorNetwork.  A gumiho network is a variational autoencoder with several
tails on one body.  The user brings encoder and decoders (some are in `detector.networks.layers`)
and chooses the interface h to the latent space, its size Z and the mixture's M parts.

Source: after Koizumi et al., IEEE/ACM TASLP 27(1), 2019: docs/decisions/0003.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn

from acoio.errors import DataError
from detector.networks.losses import draw_latent, kl_to_prior
from detector.networks.mixture import Mixture

RECONSTRUCTION: Final = "reconstruction"
MIXTURE: Final = "mixture"
DISCRIMINATOR: Final = "discriminator"

UNLIKELY: Final = "unlikely"
"""The condition on latent vectors that typical sound does not explain."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""What is wrong with a tail's output, `(windows, output) → (B,)`."""

Accept = Callable[[Tensor], Tensor]
"""Which latent vectors fulfil a condition, `(B, Z) → (B,)` bool."""

Reads = Literal["latent", "interface"]
"""Where a tail grows: on the latent mean, or on the interface before it."""

_MOST_DRAWS: Final = 1000  # for each latent vector wanted
_LEAST_VARIANCE, _MOST_VARIANCE = -8.0, 4.0  # logarithms: a sample stays a finite number


class AutoEncoder(nn.Module):
    """An encoder (B, F, T) → (B, h) and a decoder back."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: Tensor) -> Tensor:
        drawn: Tensor = self.decoder(self.encoder(x))
        return drawn


class VariationalAutoEncoder(AutoEncoder):
    """An autoencoder whose interface is a latent Gaussian, (B, h) → 2 × (B, Z), and η back.

    Source: Kingma and Welling, arXiv 1312.6114.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, interface: int, latent: int
    ) -> None:
        super().__init__(encoder, decoder)
        self.latent = latent
        self.mean = nn.Linear(interface, latent)
        self.log_variance = nn.Linear(interface, latent)
        self.eta = nn.Linear(latent, interface)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return latent mean and log variance of windows, (B, F, T) → 2 × (B, Z)."""
        h = self.encoder(x)
        return self.mean(h), self.log_variance(h).clamp(_LEAST_VARIANCE, _MOST_VARIANCE)

    def decode(self, z: Tensor) -> Tensor:
        """Return what is drawn of latent vectors, (B, Z) → (B, F, T)."""
        drawn: Tensor = self.decoder(self.eta(z))
        return drawn

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x)[0])

    def bound(self, x: Tensor, error: Loss, *, generator: torch.Generator) -> Tensor:
        """Return the negative evidence bound of windows, (B, F, T) → (B,) nats.

        `error` is the negative log-likelihood of windows where they are drawn,
        summed over the window as the divergence is over the latent space.
        """
        mean, log_variance = self.encode(x)
        drawn = self.decode(draw_latent(mean, log_variance, generator=generator))
        return error(x, drawn) + kl_to_prior(mean, log_variance)


class GumihoNetwork(VariationalAutoEncoder):
    """A variational autoencoder with named tails; its own decoder is the first."""

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, interface: int, latent: int
    ) -> None:
        super().__init__(encoder, decoder, interface=interface, latent=latent)
        self.tails = nn.ModuleDict()
        self._tails: dict[str, tuple[Loss, Reads]] = {}

    def add_tail(
        self, name: str, network: nn.Module, *, loss: Loss, reads: Reads = "latent"
    ) -> None:
        """Grow a tail: a network on the latent mean (B, Z), or on the interface (B, h).

        Raises
        ------
        ValueError
            If there is one of that name.
        """
        if name == RECONSTRUCTION or name in self.tails:
            raise ValueError(f"tail: found {name!r} there already, wanted another name")
        self.tails[name] = network
        self._tails[name] = (loss, reads)

    def forward(self, x: Tensor, tail: str = RECONSTRUCTION) -> Tensor:
        """Return what a tail makes of windows by their latent mean or interface.

        Raises
        ------
        KeyError
            If there is no such tail.
        """
        h = self.encoder(x)
        if tail == RECONSTRUCTION or self._grown(tail)[1] == "latent":
            return self.draw(self.mean(h), tail)
        out: Tensor = self.tails[tail](h)
        return out

    def loss(self, x: Tensor, tail: str) -> Tensor:
        """Return the loss of a grown tail at windows, (B, F, T) → (B,); the first has a `bound`."""
        return self._grown(tail)[0](x, self(x, tail))

    def draw(self, z: Tensor, tail: str = RECONSTRUCTION) -> Tensor:
        """Return what a tail on the latent space makes of latent vectors, (B, Z) → ...

        Raises
        ------
        ValueError
            If the tail grows on the interface.
        """
        if tail == RECONSTRUCTION:
            return self.decode(z)
        if self._grown(tail)[1] != "latent":
            raise ValueError(f"tail: found {tail!r} on the interface, wanted one on the latent")
        out: Tensor = self.tails[tail](z)
        return out

    def _grown(self, tail: str) -> tuple[Loss, Reads]:
        if tail not in self._tails:
            raise KeyError(f"tail: found none grown as {tail!r}, wanted one of {[*self._tails]}")
        return self._tails[tail]


@dataclass(frozen=True, eq=False)
class Generated:
    """What was drawn: `latent` (n, Z), `drawn` by a tail, and the share `accepted` of N(0, I)."""

    latent: Tensor
    drawn: Tensor
    accepted: float


class ConditionalGenerator(GumihoNetwork):
    """A gumiho network that draws latent vectors under conditions."""

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, interface: int, latent: int
    ) -> None:
        super().__init__(encoder, decoder, interface=interface, latent=latent)
        self._conditions: dict[str, Accept] = {}

    def add_condition(self, name: str, accept: Accept) -> None:
        """Name a condition, anew if known; of its own methods a network's copy has its own."""
        self._conditions[name] = accept

    @torch.no_grad()
    def latents(
        self, count: int, *, condition: str, generator: torch.Generator
    ) -> tuple[Tensor, float]:
        """Return vectors of N(0, I) that fulfil a condition, (n, Z), and the share that does.

        Raises
        ------
        KeyError
            If there is no such condition.
        DataError
            If a thousand draws for each vector wanted do not do.
        """
        accept, size = self._conditions[condition], (max(count, 256), self.latent)
        kept: list[Tensor] = []
        drawn = found = 0
        while not drawn or found < count:
            if drawn >= _MOST_DRAWS * size[0]:
                text = f"condition {condition!r}: found {found} of {drawn} latent vectors accepted"
                raise DataError(f"{text}, wanted {count}")
            z = torch.randn(size, generator=generator, device=generator.device)
            z = z.to(self.eta.weight)
            kept.append(z[accept(z)])
            drawn, found = drawn + len(z), found + len(kept[-1])
        return torch.cat(kept)[:count], found / drawn

    @torch.no_grad()
    def generate(
        self,
        count: int,
        *,
        condition: str,
        generator: torch.Generator,
        tail: str = RECONSTRUCTION,
    ) -> Generated:
        """Return what a tail draws of latent vectors under a condition, as `latents`."""
        latent, accepted = self.latents(count, condition=condition, generator=generator)
        return Generated(latent, self.draw(latent, tail), accepted)


class DiscriminatorNetwork(ConditionalGenerator):
    """Reconstruction, mixture and discriminator tail: what is needed to tell the unusual.

    The mixture tail (M parts) is the density of typical latent vectors; a vector less
    likely than `limit` fulfils the condition `UNLIKELY`.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, interface: int, latent: int, parts: int
    ) -> None:
        super().__init__(encoder, decoder, interface=interface, latent=latent)
        self.limit: Tensor
        self.register_buffer("limit", torch.tensor(-torch.inf))
        self.add_tail(MIXTURE, Mixture(parts, latent), loss=_surprise)
        self.add_condition(UNLIKELY, self._unlikely)

    @property
    def mixture(self) -> Mixture:
        """The density of typical latent vectors."""
        mixture = self.tails[MIXTURE]
        assert isinstance(mixture, Mixture)
        return mixture

    def _unlikely(self, z: Tensor) -> Tensor:
        return torch.lt(self.mixture(z), self.limit)


def _surprise(_: Tensor, log_likelihood: Tensor) -> Tensor:
    return -log_likelihood
