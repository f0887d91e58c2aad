"""What each phase of training minimises, at a batch of typical and one of various windows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from acoio.errors import SetupError
from detector.networks.gumiho import UNLIKELY
from detector.networks.methods import Discriminating

_SEEDS: Final = 2**31  # a step's generator has the seed in the upper half of its 63 bits


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained.

    `rho` is the share of typical latent vectors that the mixture may reject, and the
    false-alarm rate of the published method; `fakes` the share of simulated anomalies
    among the atypical windows (the published method has no others); `fidelity` the
    weight of the evidence bound in the second phase.  A phase ends early when the
    windows held out have not been drawn, or told apart, better for `patience` reports.
    Batches are shifted at random: by any time if `roll`, round the window's edge, and
    by up to `shift_bands` bands.  A phase of no steps is left out.

    Raises
    ------
    SetupError
        If a setting is beyond what it can be; all such are named.
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

    def __post_init__(self) -> None:
        wrong = [
            f"{name}: found {getattr(self, name)}, wanted {wanted}"
            for name, fits, wanted in (
                ("seed", 0 <= self.seed < _SEEDS, f"0 to {_SEEDS - 1}"),
                ("batch", self.batch >= 1, "1 or more"),
                ("phase1_steps", self.phase1_steps >= 0, "0 or more"),
                ("phase2_steps", self.phase2_steps >= 0, "0 or more"),
                ("rho", 0 < self.rho < 1, "between 0 and 1"),
            )
            if not fits
        ]
        if wrong:
            raise SetupError("training: " + "; ".join(wrong))


Step = tuple[Tensor, dict[str, float]]
"""What is minimised, and figures for the report."""


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Draw from a seed within, on the CPU and the device; the caller's generators stay."""
    cuda = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=cuda):
        torch.default_generator.manual_seed(seed)
        for one in cuda:
            with torch.cuda.device(one):
                torch.cuda.manual_seed(seed)
        yield


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
    network: Discriminating, *, typical: Tensor, various: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the mean negative evidence bound of all windows, 2 × (B, F, T) → () nats."""
    x = torch.cat((typical, various))
    return network.bound(x, network.error, generator=generator).mean()


def separation_of(
    network: Discriminating,
    settings: TrainSettings,
    *,
    typical: Tensor,
    various: Tensor,
    generator: torch.Generator,
) -> Step:
    """Return the second phase's loss, 2 × (B, F, T) → ()."""
    fakes, accepted = _fakes(network, settings, typical=typical, generator=generator)
    atypical = torch.cat((fakes, various[len(fakes) :]))
    separation = network.separation(typical, atypical, settings.rho)
    figures = {"separation": separation.item(), "accepted": accepted}
    if not settings.fidelity:
        return separation, figures
    bound = bound_of(network, typical=typical, various=various, generator=generator)
    return separation + settings.fidelity * bound, figures | {"bound": bound.item()}


@torch.no_grad()
def _fakes(
    network: Discriminating,
    settings: TrainSettings,
    *,
    typical: Tensor,
    generator: torch.Generator,
) -> tuple[Tensor, float]:
    """Return simulated anomalies, and the share of latent vectors accepted.

    Where windows are noise they wear that of typical ones: the drawing has none, and
    to tell smooth from rough is all that would be learnt.  Not if the method is as
    published, where they are what was drawn and nothing else.
    """
    published = network.settings.method == "published"
    count = len(typical) if published else round(settings.fakes * len(typical))
    if not count:
        return typical[:0], 1.0
    network.eval()
    fakes = network.generate(count, condition=UNLIKELY, generator=generator)
    drawn = fakes.drawn
    if network.settings.noise and not published:
        drawn = drawn + typical[:count] - network(typical[:count])
    network.train()
    return drawn, fakes.accepted
