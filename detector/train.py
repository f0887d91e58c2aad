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
from detector.losses import kl_to_prior, anomaly_score, neyman_pearson, squared_error
from detector.mixture import Mixture, fit_mixture

_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained.  `rho` is the false-alarm rate of the lemma, for each window."""

    seed: int = 1
    batch: int = 256
    phase1_steps: int = 1500
    phase2_steps: int = 400
    learning_rate: float = 2e-3
    rho: float = 0.01
    mixture_parts: int = 8
    rejected_share: float = 0.95
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


class Trainer:
    """Trains a network on typical and various windows, each (n, F, T) normalised."""

    def __init__(
        self, network: NetworkSettings, typical: _Floats, various: _Floats, settings: TrainSettings
    ) -> None:
        for name, windows in (("typical", typical), ("various", various)):
            if len(windows) < settings.batch:
                raise DataError(f"{name}: found {len(windows)} windows, wanted {settings.batch}")
        torch.manual_seed(settings.seed)
        torch.set_flush_denormal(True)
        self.settings = settings
        self.network = GumihoNetwork(network, (RECONSTRUCTION, DISCRIMINATOR))
        self.mixture: Mixture | None = None
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._typical, self._various = torch.from_numpy(typical), torch.from_numpy(various)

    def phases(self) -> Iterator[Report]:
        """Train, yielding how it goes."""
        yield from self._learn_sound()
        self._refit()
        yield from self._discriminate()
        self._refit()
        yield Report(3, 0, {"log_likelihood": float(np.mean(self._typical_log_likelihood()))})

    def _batch(self, windows: Tensor) -> Tensor:
        return windows[
            torch.randint(len(windows), (self.settings.batch,), generator=self._generator)
        ]

    def _learn_sound(self) -> Iterator[Report]:
        steps = self.settings.phase1_steps
        optimiser, schedule = self._optimiser(steps, self.settings.learning_rate)
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
                yield Report(1, step, {k: float(v.mean()) for k, v in figures.items()})

    def _discriminate(self) -> Iterator[Report]:
        s = self.settings
        optimiser, schedule = self._optimiser(s.phase2_steps, 0.1 * s.learning_rate)
        for step in range(s.phase2_steps):
            typical, various = self._batch(self._typical), self._batch(self._various)
            fakes, accepted = self._anomalies(typical)
            rates = neyman_pearson(self._score(typical), self._score(fakes), s.rho)
            fidelity = squared_error(various, self.network(various, RECONSTRUCTION)).sum(1).mean()
            fidelity = (
                fidelity
                + squared_error(typical, self.network(typical, DISCRIMINATOR)).sum(1).mean()
            )
            _step(optimiser, schedule, rates + s.fidelity * fidelity)
            if step % _REPORT_EVERY == 0 or step == s.phase2_steps - 1:
                figures = {"rates": float(rates), "fidelity": float(fidelity), "accepted": accepted}
                yield Report(2, step, figures)

    def _score(self, x: Tensor) -> Tensor:
        various, typical = self.network(x, RECONSTRUCTION), self.network(x, DISCRIMINATOR)
        return anomaly_score(x, various, typical).sum(dim=1)

    @torch.no_grad()
    def _anomalies(self, typical: Tensor) -> tuple[Tensor, float]:
        """Return simulated anomalies, (B, F, T), and the share of latent vectors accepted."""
        z, accepted = self._unlikely(len(typical))
        noise = typical - self.network(typical, DISCRIMINATOR)
        return self.network.decode(z, RECONSTRUCTION) + noise, accepted

    def _unlikely(self, count: int) -> tuple[Tensor, float]:
        """Return latent vectors of N(0, I) that typical sound does not explain."""
        assert self.mixture is not None
        limit = np.quantile(self._typical_log_likelihood(), 1 - self.settings.rejected_share)
        kept: list[Tensor] = []
        drawn = found = 0
        while found < count:
            z = torch.randn((4 * count, self.network.settings.latent), generator=self._generator)
            unlikely = self.mixture.log_likelihood(z.double().numpy()) < limit
            kept.append(z[torch.from_numpy(unlikely)])
            drawn, found = drawn + len(z), found + int(unlikely.sum())
            if drawn > 1000 * count:
                raise DataError(
                    f"anomalies: {found} of {drawn} latent vectors accepted, wanted {count}"
                )
        return torch.cat(kept)[:count], found / drawn

    def _refit(self) -> None:
        self._latent = self._encode(self._typical[: self.settings.mixture_points])
        self.mixture = fit_mixture(
            self._latent, self.settings.mixture_parts, seed=self.settings.seed
        )
        self._log_likelihood = self.mixture.log_likelihood(self._latent)

    def _typical_log_likelihood(self) -> NDArray[np.float64]:
        return self._log_likelihood

    @torch.no_grad()
    def _encode(self, windows: Tensor) -> NDArray[np.float64]:
        parts = [self.network.encode(part)[0] for part in windows.split(self.settings.batch)]
        return torch.cat(parts).double().numpy()

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
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    schedule.step()
