"""Plain autoencoders of typical sound: what they cannot draw is unusual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
import torch
from torch import Tensor, nn

from acoio.errors import DataError
from benchmarks.baselines.base import Floats, Input, Windows, check_windows, in_chunks, some
from detector.networks.gumiho import AutoEncoder, VariationalAutoEncoder
from detector.networks.layers import ConvDecoder, ConvEncoder
from detector.networks.losses import squared_error
from detector.training.data import loader

_MOST_FITTED: Final = 10_000  # windows, as of the other baselines
_BATCH: Final = 128
_FEWEST: Final = 2  # windows: a batch norm knows nothing of one
_CHANNELS: Final = (8, 16, 32)
_RATE: Final = 2e-3


@dataclass(frozen=True)
class PlainAutoEncoder:
    """The squared error of a convolutional autoencoder with `latent` numbers in its middle."""

    latent: int = 16
    steps: int = 300
    reads: Input = "normalised"
    name: ClassVar[str] = "plain AE"

    def fit(self, typical: Windows, *, seed: int) -> FittedAutoEncoder:
        """Return the baseline fitted to typical windows."""

        def loss(network: AutoEncoder, x: Tensor, generator: torch.Generator) -> Tensor:
            del generator
            return _error(x, network(x)).mean()

        return _fit(typical, lambda shape: _narrow(shape, self.latent), loss, self.steps, seed)

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return a narrow middle and a wide one."""
        return cls(8), cls(32)


@dataclass(frozen=True)
class PlainVae:
    """The squared error of a variational autoencoder that draws from the latent mean.

    `noise` is the deviation, of all bins' own, that the drawing is allowed: the less,
    the closer it draws, and the less its latent vectors are like N(0, I).
    """

    latent: int = 16
    noise: float = 0.3
    steps: int = 300
    reads: Input = "normalised"
    name: ClassVar[str] = "plain VAE"

    def fit(self, typical: Windows, *, seed: int) -> FittedAutoEncoder:
        """Return the baseline fitted to typical windows."""

        def error(x: Tensor, drawn: Tensor) -> Tensor:
            return _error(x, drawn) / self.noise**2

        def loss(network: AutoEncoder, x: Tensor, generator: torch.Generator) -> Tensor:
            assert isinstance(network, VariationalAutoEncoder)
            return network.bound(x, error, generator=generator).mean()

        return _fit(typical, lambda shape: _variational(shape, self.latent), loss, self.steps, seed)

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return little noise and as much as the bins have in all."""
        return cls(noise=0.3), cls(noise=1.0)


@dataclass(frozen=True, eq=False)
class FittedAutoEncoder:
    """A network of typical windows (F, T), which are scaled to mean 0 and deviation 1."""

    network: AutoEncoder
    shape: tuple[int, ...]
    mean: float
    deviation: float

    def score(self, x: Windows) -> Floats:
        """Return half the squared error of windows, (n, F, T) → (n,)."""
        check_windows(x, self.shape)
        return in_chunks(self._score, x)

    @torch.no_grad()
    def _score(self, x: Windows) -> Floats:
        scaled = torch.from_numpy(_scaled(x, self.mean, self.deviation))
        return np.asarray(_error(scaled, self.network(scaled)).numpy(), np.float64)


_Loss = Callable[[AutoEncoder, Tensor, torch.Generator], Tensor]


def _fit(
    typical: Windows,
    build: Callable[[tuple[int, int]], AutoEncoder],
    loss: _Loss,
    steps: int,
    seed: int,
) -> FittedAutoEncoder:
    check_windows(typical)
    if len(typical) < _FEWEST:
        raise DataError(f"autoencoder: found {len(typical)} windows, wanted {_FEWEST} or more")
    used = some(typical, _MOST_FITTED, seed=seed)
    mean, deviation = float(used.mean()), max(float(used.std()), float(np.finfo(np.float32).tiny))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build((used.shape[1], used.shape[2]))
    _train(network, loss, _scaled(used, mean, deviation), steps=steps, seed=seed)
    return FittedAutoEncoder(network.eval(), used.shape[1:], mean, deviation)


def _train(network: AutoEncoder, loss: _Loss, windows: Windows, *, steps: int, seed: int) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=_RATE, total_steps=steps)
    batches, generator = loader(windows, seed=seed), torch.Generator().manual_seed(seed)
    for _ in range(steps):
        value = loss(network, batches.send(_BATCH), generator)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()


def _narrow(shape: tuple[int, int], latent: int) -> AutoEncoder:
    encoder, decoder = ConvEncoder(*shape, _CHANNELS), ConvDecoder(*shape, _CHANNELS)
    return AutoEncoder(
        nn.Sequential(encoder, nn.Linear(encoder.interface, latent)),
        nn.Sequential(nn.Linear(latent, decoder.interface), decoder),
    )


def _variational(shape: tuple[int, int], latent: int) -> VariationalAutoEncoder:
    encoder, decoder = ConvEncoder(*shape, _CHANNELS), ConvDecoder(*shape, _CHANNELS)
    return VariationalAutoEncoder(encoder, decoder, interface=encoder.interface, latent=latent)


def _scaled(x: Windows, mean: float, deviation: float) -> Windows:
    return np.asarray((x - mean) / deviation, np.float32)


def _error(x: Tensor, drawn: Tensor) -> Tensor:
    return squared_error(x, drawn).sum(dim=1)
