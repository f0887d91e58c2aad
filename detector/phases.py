"""What each phase of training minimises, at a batch of typical and one of various windows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from detector.gumiho import UNLIKELY
from detector.losses import squared_error
from detector.methods import Discriminating


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained.

    `rho` is the share of typical latent vectors that the mixture may reject, and the
    false-alarm rate of the published method; `fakes` the share of simulated anomalies
    among the atypical windows (the published method has no others); `fidelity` the
    weight of the evidence bound in the second phase.  A phase ends early when the
    windows held out have not been drawn, or told apart, better for `patience` reports.
    Batches are shifted at random: by any time if `roll`, round the window's edge, and
    by up to `shift_bands` bands.
    """

    seed: int = 1
    batch: int = 128
    phase1_steps: int = 1000
    phase2_steps: int = 1500
    phase1_rate: float = 2e-3
    phase2_rate: float = 2e-3
    weight_decay: float = 0.03
    rho: float = 0.01
    fakes: float = 0.25
    fidelity: float = 0.001
    mixture_points: int = 20_000
    patience: int = 8
    roll: bool = False
    shift_bands: int = 0


Step = tuple[Tensor, dict[str, float]]
"""What is minimised, and figures for the report."""


def shifted(x: Tensor, settings: TrainSettings, generator: torch.Generator) -> Tensor:
    """Return a batch shifted in time and frequency, (B, F, T), as the settings allow.

    A call is one wherever it lies in its window.
    """
    if settings.roll:
        x = x.roll(int(torch.randint(x.shape[2], (), generator=generator)), dims=2)
    if most := settings.shift_bands:
        x = x.roll(int(torch.randint(-most, most + 1, (), generator=generator)), dims=1)
    return x


def bound_of(
    network: Discriminating, typical: Tensor, various: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the mean negative evidence bound of all windows, 2 × (B, F, T) → () nats."""
    return network.bound(torch.cat((typical, various)), error_of, generator).mean()


def separation_of(
    network: Discriminating,
    settings: TrainSettings,
    typical: Tensor,
    various: Tensor,
    generator: torch.Generator,
) -> Step:
    """Return the second phase's loss, 2 × (B, F, T) → ()."""
    fakes, accepted = _fakes(network, settings, typical, generator)
    atypical = torch.cat((fakes, various[len(fakes) :]))
    separation = network.separation(typical, atypical, settings.rho)
    figures = {"separation": separation.item(), "accepted": accepted}
    if not settings.fidelity:
        return separation, figures
    bound = bound_of(network, typical, various, generator)
    return separation + settings.fidelity * bound, figures | {"bound": bound.item()}


@torch.no_grad()
def _fakes(
    network: Discriminating, settings: TrainSettings, typical: Tensor, generator: torch.Generator
) -> tuple[Tensor, float]:
    """Return simulated anomalies, and the share of latent vectors accepted.

    Where windows are noise they wear that of typical ones: the drawing has none, and
    to tell smooth from rough is all that would be learnt.
    """
    published = network.settings.method == "published"
    count = len(typical) if published else round(settings.fakes * len(typical))
    if not count:
        return typical[:0], 1.0
    network.eval()
    fakes = network.generate(count, condition=UNLIKELY, generator=generator)
    drawn = fakes.drawn
    if network.settings.noise:
        drawn = drawn + typical[:count] - network(typical[:count])
    network.train()
    return drawn, fakes.accepted


def error_of(x: Tensor, drawn: Tensor) -> Tensor:
    """Return the negative log-likelihood of windows where they are drawn, (B,) nats."""
    return squared_error(x, drawn).sum(dim=1)
