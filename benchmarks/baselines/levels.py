"""Levels above the background: the energy detectors of the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from acoio.errors import SetupError
from benchmarks.baselines.base import Floats, Input, Unfitted, Windows


@dataclass(frozen=True)
class LevelLargest(Unfitted):
    """The level of the loudest bin."""

    reads: Input = "excess_db"
    name: ClassVar[str] = "level, largest bin"

    def _score(self, x: Windows) -> Floats:
        return np.asarray(x.max(axis=(1, 2)), np.float64)

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return it in dB, and with the noise of all bands alike."""
        return cls("excess_db"), cls("normalised")


@dataclass(frozen=True)
class LevelTop(Unfitted):
    """The mean level of the loudest `share` of the bins."""

    share: float = 0.01
    reads: Input = "excess_db"
    name: ClassVar[str] = "level, mean of the top"

    def __post_init__(self) -> None:
        """Raise `SetupError` if the share cannot be."""
        if not 0 < self.share <= 1:
            raise SetupError(f"share: found {self.share:g}, wanted over 0, to 1")

    def _score(self, x: Windows) -> Floats:
        flat = x.reshape(len(x), -1)
        first = flat.shape[1] - max(round(self.share * flat.shape[1]), 1)
        top = np.partition(flat, first, axis=1)[:, first:]
        return np.asarray(top.mean(axis=1, dtype=np.float64))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return a thousandth, a hundredth and a twentieth, each of both inputs."""
        inputs: tuple[Input, ...] = ("excess_db", "normalised")
        return tuple(cls(share, reads) for share in (0.001, 0.01, 0.05) for reads in inputs)


@dataclass(frozen=True)
class LevelOver(Unfitted):
    """What all bins together rise above `over_db`, dB."""

    over_db: float = 3.0
    reads: Input = "excess_db"
    name: ClassVar[str] = "level, summed over a floor"

    def _score(self, x: Windows) -> Floats:
        over = np.maximum(x - np.float32(self.over_db), 0)
        return np.asarray(over.sum(axis=(1, 2), dtype=np.float64))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return floors of 1, 3 and 6 dB."""
        return cls(1.0), cls(3.0), cls(6.0)
