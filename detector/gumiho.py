"""The gumiho network: one body, several tails.

An encoder takes a window to a latent distribution; each tail takes a latent
vector back to a window.  The *reconstruction* tail has learnt all sound, the
*discriminator* tail typical sound only, so what only the first can draw is
unusual.

Source: after Koizumi et al., "Unsupervised Detection of Anomalous Sound Based on
Deep Learning and the Neyman-Pearson Lemma", IEEE/ACM TASLP 27(1), 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

RECONSTRUCTION: Final = "reconstruction"
DISCRIMINATOR: Final = "discriminator"


@dataclass(frozen=True)
class NetworkSettings:
    """Shape of the network: a window (F, T), the latent size Z, channels by layer.

    Each layer halves F and T, so both are multiples of 2 ** len(channels).
    """

    bands: int
    columns: int
    latent: int = 32
    channels: tuple[int, ...] = (16, 32, 64)


class Encoder(nn.Module):
    """Windows to latent Gaussians, (B, F, T) → mean (B, Z), log variance (B, Z)."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        widths = (1, *settings.channels)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Conv2d(n_in, n_out, 3, stride=2, padding=1), nn.GELU()]
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.latent = nn.Linear(_flat(settings), 2 * settings.latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.latent(self.body(x.unsqueeze(1))).chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 4)


class Tail(nn.Module):
    """Latent vectors to windows, (B, Z) → (B, F, T)."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.start = nn.Linear(settings.latent, _flat(settings))
        self.shape = (settings.channels[-1], *_smallest(settings))
        widths = (*settings.channels[::-1], 1)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.GELU(), nn.Conv2d(n_in, 4 * n_out, 3, padding=1), nn.PixelShuffle(2)]
        self.body = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        drawn: Tensor = self.body(self.start(z).unflatten(1, self.shape))
        return drawn.squeeze(1)


class GumihoNetwork(nn.Module):
    """A variational autoencoder with named tails that share its encoder."""

    def __init__(self, settings: NetworkSettings, tails: Sequence[str]) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = Encoder(settings)
        self.tails = nn.ModuleDict({name: Tail(settings) for name in tails})

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latent mean and log variance of windows, (B, F, T) → 2 x (B, Z)."""
        mean, log_variance = self.encoder(x)
        return mean, log_variance

    def decode(self, z: Tensor, tail: str) -> Tensor:
        """Return what a tail draws of latent vectors, (B, Z) → (B, F, T)."""
        drawn: Tensor = self.tails[tail](z)
        return drawn

    def forward(self, x: Tensor, tail: str) -> Tensor:
        """Return what a tail draws of windows by their latent mean, (B, F, T) → the same."""
        return self.decode(self.encode(x)[0], tail)


def draw_latent(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """Return a sample of each latent Gaussian, 2 x (B, Z) → (B, Z)."""
    noise = torch.randn(mean.shape, generator=generator)
    return mean + noise * torch.exp(0.5 * log_variance)


def _smallest(settings: NetworkSettings) -> tuple[int, int]:
    shrink = 2 ** len(settings.channels)
    return settings.bands // shrink, settings.columns // shrink


def _flat(settings: NetworkSettings) -> int:
    bands, columns = _smallest(settings)
    return settings.channels[-1] * bands * columns
