"""Training in three phases, as a generator of reports.

1. A variational autoencoder learns all sound, and a copy of its tail learns
   typical sound alone.
2. Encoder and discriminator tail minimise false-alarm rate minus detection rate,
   with anomalies drawn from the latent space: vectors that a mixture fitted to
   typical windows finds likely are rejected, the others are drawn by the
   reconstruction tail and dressed in the noise of a typical window.
3. The mixture is fitted again to the latent vectors as they now are.

Source: after Koizumi et al. 2019.  Where it departs: docs/decisions/0003.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acoio.errors import DataError
from detector.gumiho import (
    DISCRIMINATOR,
    RECONSTRUCTION,
    GumihoNetwork,
    NetworkSettings,
    draw_latent,
)
from detector.losses import anomaly_score, kl_to_prior, neyman_pearson, squared_error
from detector.mixture import Mixture

_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained.  `rho` is the false-alarm rate of the lemma, for each window."""

    seed: int = 1
    batch: int = 256
    phase1_steps: int = 1500
    phase2_steps: int = 400
    phase1_rate: float = 2e-3
    phase2_rate: float = 1e-3
    rho: float = 0.01
    mixture_parts: int = 8
    fidelity: float = 0.01
    mixture_points: int = 20_000


@dataclass(frozen=True)
class Report:
    """How training goes: phase, step, and named figures."""

    phase: int
    step: int
    figures: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        figures = "  ".join(f"{name} {value:.4g}" for name, value in self.figures.items())
        return f"phase {self.phase}  step {self.step:5d}  {figures}"


_REPORT_EVERY: Final = 100
_MOST_DRAWS: Final = 1000  # for each latent vector wanted
_CONVERGED: Final = 1e-4  # nats a point that a step of the mixture gains no more


class Trainer:
    """Trains a network on typical and various windows, each (n, F, T) normalised."""

    def __init__(
        self, network: NetworkSettings, typical: _Floats, various: _Floats, settings: TrainSettings
    ) -> None:
        for name, windows in (("typical", typical), ("various", various)):
            if len(windows) < settings.batch:
                raise DataError(f"{name}: found {len(windows)} windows, wanted {settings.batch}")
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = GumihoNetwork(network, (RECONSTRUCTION, DISCRIMINATOR))
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._typical, self._various = torch.from_numpy(typical), torch.from_numpy(various)

    def phases(self) -> Iterator[Report]:
        """Train, yielding how it goes."""
        yield from self._learn_sound()
        self._refit()
        yield from self._discriminate()
        yield Report(3, 0, {"log_likelihood": self._refit()})

    @property
    def mixture(self) -> Mixture:
        """The mixture of typical latent vectors, once training has come so far."""
        return self._mixture

    def _batch(self, windows: Tensor) -> Tensor:
        return windows[
            torch.randint(len(windows), (self.settings.batch,), generator=self._generator)
        ]

    def _learn_sound(self) -> Iterator[Report]:
        steps = self.settings.phase1_steps
        optimiser, schedule = self._optimiser(steps, self.settings.phase1_rate)
        for step in range(steps):
            various, typical = self._batch(self._various), self._batch(self._typical)
            mean, log_variance = self.network.encode(various)
            z = draw_latent(mean, log_variance, self._generator)
            error = squared_error(various, self.network.decode(z, RECONSTRUCTION)).sum(dim=1)
            divergence = kl_to_prior(mean, log_variance)
            # The discriminator tail starts as a model of typical sound alone; the
            # body is left to the reconstruction tail.
            with torch.no_grad():
                z_typical = self.network.encode(typical)[0]
            error_typical = squared_error(typical, self.network.decode(z_typical, DISCRIMINATOR))
            loss = (error + divergence).mean() + error_typical.sum(dim=1).mean()
            _step(optimiser, schedule, loss)
            if step % _REPORT_EVERY == 0 or step == steps - 1:
                figures = {
                    "error": error,
                    "divergence": divergence,
                    "typical": error_typical.sum(1),
                }
                yield Report(1, step, {k: float(v.detach().mean()) for k, v in figures.items()})

    def _discriminate(self) -> Iterator[Report]:
        s = self.settings
        optimiser, schedule = self._optimiser(s.phase2_steps, s.phase2_rate)
        for step in range(s.phase2_steps):
            typical, various = self._batch(self._typical), self._batch(self._various)
            fakes, accepted = self._anomalies(typical, various)
            typical_drawn, fakes_drawn = self._draw(typical), self._draw(fakes)
            rates = neyman_pearson(
                anomaly_score(typical, *typical_drawn).sum(dim=1),
                anomaly_score(fakes, *fakes_drawn).sum(dim=1),
                s.rho,
            )
            error = self._fidelity(typical, typical_drawn[1], fakes_drawn[1])
            error = (
                error + squared_error(various, self.network(various, RECONSTRUCTION)).sum(1).mean()
            )
            _step(optimiser, schedule, rates + s.fidelity * error)
            if step % _REPORT_EVERY == 0 or step == s.phase2_steps - 1:
                figures = {"rates": rates.item(), "error": error.item(), "accepted": accepted}
                yield Report(2, step, figures)

    @staticmethod
    def _fidelity(typical: Tensor, drawn: Tensor, beneath: Tensor) -> Tensor:
        """Return the error of the discriminator tail at its own task, nats.

        It draws typical windows, and of a simulated anomaly the typical window
        beneath.  Without the first, the error of typical sound grew tenfold;
        without the second, the tail draws the anomalies too.
        """
        own = squared_error(typical, drawn) + squared_error(typical, beneath)
        return own.sum(dim=1).mean()

    def _draw(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the tails of various and of typical sound draw of windows."""
        z = self.network.encode(x)[0]
        return self.network.decode(z, RECONSTRUCTION), self.network.decode(z, DISCRIMINATOR)

    @torch.no_grad()
    def _anomalies(self, typical: Tensor, various: Tensor) -> tuple[Tensor, float]:
        """Return simulated anomalies, (B, F, T), and the share of latent vectors accepted."""
        z, accepted = self._unlikely(various)
        noise = typical - self.network(typical, DISCRIMINATOR)
        return self.network.decode(z[: len(typical)], RECONSTRUCTION) + noise, accepted

    def _unlikely(self, various: Tensor) -> tuple[Tensor, float]:
        """Return latent vectors of all sound that typical sound does not explain.

        Half are drawn from N(0, I), half from the latent Gaussians of various
        windows: the first reach everywhere, the second where sound really lies.
        """
        kept: list[Tensor] = []
        drawn = found = 0
        while found < len(various):
            z = torch.cat((self._prior(len(various)), self._posterior(various)))
            unlikely = self._mixture.log_likelihood(z.double()) < self._limit
            kept.append(z[unlikely])
            drawn, found = drawn + len(z), found + int(unlikely.sum())
            if drawn > _MOST_DRAWS * len(various):
                raise DataError(f"anomalies: found {found} of {drawn} latent vectors unlikely")
        z = torch.cat(kept)
        return z[torch.randperm(len(z), generator=self._generator)], found / drawn

    def _prior(self, count: int) -> Tensor:
        return torch.randn((count, self.network.settings.latent), generator=self._generator)

    def _posterior(self, windows: Tensor) -> Tensor:
        return draw_latent(*self.network.encode(windows), self._generator)

    def _refit(self) -> float:
        """Fit the mixture to typical windows; return their mean log-likelihood."""
        s = self.settings
        latent = self._encode(self._typical[: s.mixture_points])
        self._mixture = Mixture(s.mixture_parts, latent.shape[1])
        self._mixture.fit(latent, seed=s.seed, tolerance=_CONVERGED)
        log_likelihood = self._mixture.log_likelihood(latent)
        self._limit = float(log_likelihood.quantile(s.rho))
        return float(log_likelihood.mean())

    @torch.no_grad()
    def _encode(self, windows: Tensor) -> Tensor:
        parts = [self.network.encode(part)[0] for part in windows.split(self.settings.batch)]
        return torch.cat(parts).double()

    def _optimiser(
        self, steps: int, rate: float
    ) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        optimiser = torch.optim.AdamW(self.network.parameters(), lr=rate, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps)
        return optimiser, schedule


def _step(
    optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler, loss: Tensor
) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()
