"""Gumiho networks as contestants, trained by the trainer and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from benchmarks.baselines.base import Floats, Windows, in_chunks
from detector.networks.methods import Discriminating, NetworkSettings
from detector.training.phases import TrainSettings
from detector.training.train import Trainer

Evidence: TypeAlias = Callable[[Tensor], Tensor]
"""That of a network, or a statistic: (B, F, T) → (B, F) nats."""

SECOND: Final = 2  # the phase that learns to tell windows apart
PATIENCE: Final = 1000  # reports: the best of all steps is kept, and none is left out


@dataclass(frozen=True, eq=False)
class Trained:
    """A network, and the least separation of windows that were held out, nats."""

    network: Discriminating
    held_out: float


def trained(
    shape: NetworkSettings,
    typical: Windows,
    various: Windows,
    settings: TrainSettings,
) -> Trained:
    """Return a network trained on windows that have no order in time.

    They are permuted, since the trainer holds out the last tenth of what it is given.
    """
    rng = np.random.default_rng(settings.seed)
    trainer = Trainer(
        shape, rng.permutation(typical), rng.permutation(various), settings, device="cpu"
    )
    held_out = [r.figures["held_out"] for r in trainer.phases() if r.phase == SECOND]
    return Trained(trainer.network.eval(), min(held_out))


def scores_of(evidence: Evidence, x: Windows) -> Floats:
    """Return the evidence in windows that they are unusual, (n, F, T) → (n,) nats."""

    @torch.no_grad()
    def score(part: Windows) -> Floats:
        windows = torch.from_numpy(np.ascontiguousarray(part, np.float32))
        return np.asarray(evidence(windows).sum(dim=1).numpy(), np.float64)

    return in_chunks(score, x)


def told(shape: NetworkSettings, settings: TrainSettings, **more: Any) -> dict[str, Any]:
    """Return all settings but the seed, as plain values."""
    plain = asdict(settings)
    del plain["seed"]
    return {"name": f"gumiho, {shape.method}"} | asdict(shape) | plain | more
