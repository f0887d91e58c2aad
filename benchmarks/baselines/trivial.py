"""Baselines that know next to nothing: a task that these solve proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, TypeAlias

import numpy as np

from benchmarks.baselines.base import Floats, Input, Unfitted, Windows

_Sign: TypeAlias = Literal[1, -1]


@dataclass(frozen=True)
class Ink(Unfitted):
    """The mean value of a window: more ink, or with sign -1 less ink."""

    sign: _Sign = 1
    reads: Input = "normalised"
    name: ClassVar[str] = "trivial, ink"

    def _score(self, x: Windows) -> Floats:
        return np.asarray(self.sign * x.mean(axis=(1, 2), dtype=np.float64))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return more and less ink."""
        return cls(1), cls(-1)


@dataclass(frozen=True)
class Loudness(Unfitted):
    """The mean power of a window re its background, dB: louder, or with sign -1 softer."""

    sign: _Sign = 1
    reads: Input = "excess_db"
    name: ClassVar[str] = "trivial, loudness"

    def _score(self, x: Windows) -> Floats:
        loudest_db, below_db = _loudest_and_mean(x)
        return np.asarray(self.sign * (loudest_db - below_db))

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return louder and softer."""
        return cls(1), cls(-1)


@dataclass(frozen=True)
class Peakedness(Unfitted):
    """The level of the loudest bin above the mean power, dB: a ratio free of loudness.

    High where little of the window holds its energy, or with sign -1 where all does.
    """

    sign: _Sign = 1
    reads: Input = "excess_db"
    name: ClassVar[str] = "trivial, peakedness"

    def _score(self, x: Windows) -> Floats:
        return np.asarray(self.sign * _loudest_and_mean(x)[1])

    @classmethod
    def variants(cls) -> tuple[Self, ...]:
        """Return peaked and even."""
        return cls(1), cls(-1)


def _loudest_and_mean(x: Windows) -> tuple[Floats, Floats]:
    """Return the loudest bin, and how far the mean power lies below it, (n, F, T) → 2 x (n,) dB."""
    loudest_db = x.max(axis=(1, 2), keepdims=True).astype(np.float64)
    share = np.power(10.0, (x - loudest_db) / 10).mean(axis=(1, 2))  # powers of 0 to 1
    return loudest_db[:, 0, 0], -10 * np.log10(share)
