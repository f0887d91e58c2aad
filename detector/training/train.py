"""Training in three phases, as a generator of reports.

1. A variational autoencoder learns all sound, and a mixture the latent vectors of
   typical sound.
2. The discriminator tail, and the encoder with it, learn to tell typical windows from
   others: from simulated ones, which the reconstruction tail draws of latent vectors
   that the mixture finds unlikely, and, unless the method is as published, from
   windows of various sound.
3. The mixture is fitted again to the latent vectors as they now are.

Source: after Koizumi et al. 2019.  Where it departs: docs/decisions/0003.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from detector.networks.methods import Discriminating, NetworkSettings, build
from detector.training import training_state
from detector.training.data import Loader, Windows, check_range, evenly, held_out, loader, sha256_of
from detector.training.phases import Step, TrainSettings, bound_of, seeded, separation_of, shifted
from detector.training.training_state import Progress


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
_CHECKED: Final = 2048  # windows of each kind that are held out for a check, at most
_FEWEST: Final = 10  # windows of a kind: of fewer, none would be held out


class Trainer:
    """Trains a network on typical and various windows, each (n, F, T) normalised.

    `phases` may be left at any report and gone on with by another trainer on the same
    windows, from what `save` wrote: it comes to the same network.  On a CUDA device
    where there is one, unless told otherwise; from the weights of `start`, which stay
    where none are better.  A share `rho` of the typical windows held out scores above
    `score_limit`, infinite before the third phase.

    Raises
    ------
    DataError
        If windows are too few, not finite, or, for a sigmoid, not between 0 and 1.
    """

    def __init__(
        self,
        shape: NetworkSettings,
        typical: Windows,
        various: Windows,
        settings: TrainSettings,
        *,
        device: str | None = None,
        start: Discriminating | None = None,
    ) -> None:
        self.settings, self.score_limit = settings, math.inf
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        with seeded(settings.seed, self._device):
            self.network = build(shape).to(self._device)
        self._start_sha256 = training_state.weights_sha256(start) if start else ""
        if start:
            self.network.load_state_dict(start.state_dict())
        fewest = max(settings.batch, _FEWEST)
        self._typical, self._typical_held = held_out(typical, fewest, "typical")
        self._various, various_check = held_out(various, fewest, "various")
        if shape.output == "sigmoid":
            check_range(typical=typical, various=various)
            self.network.decoder.start_from(self._tensor(evenly(self._typical, _CHECKED)))
        self._typical_check = self._tensor(self._typical_held[:_CHECKED])
        self._various_check = self._tensor(various_check[:_CHECKED])
        self._at = Progress()
        self._optimise(self._at)

    def phases(self) -> Iterator[Report]:
        """Train, yielding how it goes."""
        if self._at.phase == 1:
            yield from self._train(self.settings.phase1_steps)
            refitted = Report(1, self._at.step, self._refit())
            self.network.start_discriminator()
            self._optimise(Progress(phase=2, drawn=self._at.drawn))
            yield refitted
        if self._at.phase == 2:
            yield from self._train(self.settings.phase2_steps)
            self._at = Progress(phase=3, drawn=self._at.drawn)
        figures = self._refit()
        self.score_limit = self._score_limit()
        yield Report(3, 0, figures | {"score_limit": self.score_limit})

    def save(self, path: Path) -> None:
        """Write all that training needs to go on, in one step."""
        parts = (self.network, self._optimiser, self._schedule)
        training_state.write(path, self._identity(), vars(self._at), parts)

    def resume(self, path: Path) -> None:
        """Go on from what another trainer has saved.

        Raises
        ------
        SetupError
            If the file is none, or is of another training.
        """
        progress, states = training_state.read(path, self._identity())
        self._optimise(Progress(**progress))
        network, optimiser, schedule = states
        self.network.load_state_dict(network)
        self._optimiser.load_state_dict(optimiser)
        self._schedule.load_state_dict(schedule)

    def _identity(self) -> dict[str, Any]:
        """Return all that decides the network: other windows or threads give another one."""
        return {
            "start": self._start_sha256,
            "settings": vars(self.settings),
            "network": vars(self.network.settings),
            "windows": self._windows_sha256,
            "threads": torch.get_num_threads(),
        }

    @cached_property
    def _windows_sha256(self) -> str:
        checks = (self._typical_check.cpu().numpy(), self._various_check.cpu().numpy())
        return sha256_of(self._typical, self._various, *checks)

    def _optimise(self, progress: Progress) -> None:
        """Begin a phase, or go on with one."""
        s, self._at = self.settings, progress
        first, second = (s.phase1_rate, s.phase1_steps), (s.phase2_rate, s.phase2_steps)
        rate, steps = first if progress.phase == 1 else second
        weights, schedule = self.network.parameters(), torch.optim.lr_scheduler.OneCycleLR
        self._optimiser = torch.optim.AdamW(weights, lr=rate, weight_decay=s.weight_decay)
        self._schedule = schedule(self._optimiser, max_lr=rate, total_steps=max(1, steps))

    def _train(self, steps: int) -> Iterator[Report]:
        seed, at = 2 * self.settings.seed, self._at
        typical = loader(self._typical, seed=seed, drawn=at.drawn)
        various = loader(self._various, seed=seed + 1, drawn=at.drawn)
        if self._start_sha256 and at.step == 0 < steps:
            self._check()
        while at.step < steps and at.stale < self.settings.patience:
            figures = self._one_step((typical, various))
            at.step, at.drawn = at.step + 1, at.drawn + 1
            if at.step % _REPORT_EVERY == 0 or at.step == steps:
                yield Report(at.phase, at.step, figures | {"held_out": self._check()})
        if at.kept:
            self.network.load_state_dict(at.kept)

    def _one_step(self, loaders: tuple[Loader, Loader]) -> dict[str, float]:
        # The randomness of a step depends on the step alone.
        generator = torch.Generator().manual_seed((self.settings.seed << 32) + self._at.drawn)
        batches = (x.send(self.settings.batch).to(self._device) for x in loaders)
        typical, various = (shifted(x, self.settings, generator) for x in batches)
        loss, figures = self._loss(typical, various, generator)
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self._schedule.step()
        return figures

    def _loss(self, typical: Tensor, various: Tensor, generator: torch.Generator) -> Step:
        network, given = self.network.train(), {"typical": typical, "various": various}
        with seeded(generator.initial_seed(), self._device):  # dropout draws from no other
            if self._at.phase == 2:
                return separation_of(network, self.settings, **given, generator=generator)
            bound = bound_of(network, **given, generator=generator)
        return bound, {"bound": bound.item()}

    @torch.no_grad()
    def _check(self) -> float:
        """Return how well windows held out are drawn, or told apart; the best is kept.

        Typical ones from various ones: the network soon knows its own anomalies, and
        that says little of real ones.
        """
        network, at = self.network.eval(), self._at
        checks = (self._typical_check, self._various_check)
        parts = [check.split(self.settings.batch) for check in checks]  # at once wants a gigabyte
        if at.phase == 1:
            generator = torch.Generator().manual_seed(self.settings.seed)
            bounds = [network.bound(x, network.error, generator=generator) for x in chain(*parts)]
            value = torch.cat(bounds).mean().item()
        else:
            typical, various = (torch.cat([network.scores(x) for x in part]) for part in parts)
            rho = self.settings.rho
            value = network.separation_of_scores(typical, various, rho).item()
        at.stale += 1
        if value < at.best:
            at.best, at.stale, at.kept = value, 0, copy.deepcopy(network.state_dict())
        return value

    @torch.no_grad()
    def _refit(self) -> dict[str, float]:
        """Fit the mixture to typical windows, and its limit phi to those held out."""
        s, network = self.settings, self.network.eval()
        fit = network.mixture.fit(self._latent(self._typical), seed=s.seed)
        log_likelihood = network.mixture(self._latent(self._typical_held))
        network.limit.fill_(torch.quantile(log_likelihood, s.rho))
        return {
            "log_likelihood": fit.log_likelihood[-1],
            "phi": float(network.limit),
            "fit_steps": float(fit.steps),
            "converged": float(fit.converged),
            "reseeded": float(fit.reseeded),
        }

    @torch.no_grad()
    def _score_limit(self) -> float:
        network, held = self.network.eval(), self._batches(self._typical_held)
        scores = torch.cat([network.scores(x) for x in held])
        return float(torch.quantile(scores, 1 - self.settings.rho))

    def _latent(self, windows: Windows) -> Tensor:
        return torch.cat([self.network.encode(x)[0] for x in self._batches(windows)])

    def _batches(self, windows: Windows) -> Iterator[Tensor]:
        """Yield as many windows as the mixture is fitted to, from all there are."""
        chosen = evenly(windows, self.settings.mixture_points)
        for k in range(0, len(chosen), self.settings.batch):
            yield self._tensor(chosen[k : k + self.settings.batch])

    def _tensor(self, windows: Windows) -> Tensor:
        return torch.from_numpy(windows.astype("float32", copy=False)).to(self._device)
