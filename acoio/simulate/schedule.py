"""When things happen: in each bin of ten minutes by itself, keyed by the bin.

What a bin holds depends on the seed and the bin alone, so any piece of the ocean
needs only the bins whose sounds can reach it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.random import Generator

from acoio.simulate.streams import RATE_HZ, Stream, keyed

BIN_S: Final = 600.0
BIN_SAMPLES: Final = round(BIN_S * RATE_HZ)
REACH_BINS: Final = 3
"""Nothing that begins in a bin sounds for longer than this many bins after it."""

_ALONE: Final = 0.4  # of the visits are one call


@dataclass(frozen=True, slots=True)
class Bout:
    """How calls of a kind follow one another: how many, how many voices, the gaps."""

    calls: tuple[int, int]
    voices: int
    gap_s: tuple[float, float]

    @property
    def mean_calls(self) -> float:
        """The mean number of calls of a visit, those of one call included."""
        return _ALONE + (1.0 - _ALONE) * 0.5 * sum(self.calls)


BOUTS: Final = MappingProxyType(
    {
        "humpback_unit": Bout((5, 20), 3, (3.5, 7.0)),
        "minke_boing": Bout((2, 4), 1, (20.0, 70.0)),
        "downsweep": Bout((3, 9), 1, (2.5, 12.0)),
        "sperm_clicks": Bout((2, 4), 1, (16.0, 25.0)),
    }
)


@dataclass(frozen=True, slots=True)
class Cue:
    """One call to come: where it begins (sample), its label and its two keys."""

    begin: int
    label: str
    voice: int
    shape: int


def cues(seed: int, bin_index: int, label: str, per_hour: float) -> Iterator[Cue]:
    """Yield the calls of a kind whose visits begin in a bin, `per_hour` in the mean."""
    bout = BOUTS[label]
    key = bin_index * len(BOUTS) + list(BOUTS).index(label)
    rng = keyed(seed, Stream.CALLS, key)
    for begin in begins(rng, bin_index, per_hour / bout.mean_calls):
        yield from _visit(rng, begin, label, bout)


def begins(rng: Generator, bin_index: int, per_hour: float) -> list[int]:
    """Return the samples at which things of a rate begin in a bin, in order."""
    count = rng.poisson(per_hour * BIN_S / 3600.0)
    return sorted((bin_index * BIN_SAMPLES + rng.integers(BIN_SAMPLES, size=count)).tolist())


def _visit(rng: Generator, begin: int, label: str, bout: Bout) -> Iterator[Cue]:
    count = 1 if rng.random() < _ALONE else int(rng.integers(*bout.calls, endpoint=True))
    voices = rng.integers(1 << 62, size=bout.voices)
    gap_s = rng.uniform(*bout.gap_s) * 2.0 ** rng.normal(0.0, 0.1, count)
    at = begin + np.rint((np.cumsum(gap_s) - gap_s[0]) * RATE_HZ).astype(int)
    for k, shape in enumerate(rng.integers(1 << 62, size=count)):
        yield Cue(int(at[k]), label, int(voices[k % len(voices)]), int(shape))
