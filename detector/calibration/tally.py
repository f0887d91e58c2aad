"""Windows as counts: scores by bins, the level of each band by decibels.

Counts of pieces of sound add up to those of the whole, in whatever order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.values import Score, Window

Floats: TypeAlias = NDArray[np.float64]
_Counts: TypeAlias = NDArray[np.int64]

LOWEST_DB: Final = -52  # re 1 count²/Hz: silence is the rounding to counts, 2 / 12 / 24000
HIGHEST_DB: Final = 131  # a sine of 2^23 counts in the narrowest band lies below
BINS: Final = HIGHEST_DB - LOWEST_DB
"""Bins of 1 dB; what lies beyond falls into the outermost."""


@dataclass(frozen=True, eq=False)
class Tally:
    """How many windows had a score in each bin, `scores` (K,), and each band a level, (F, BINS)."""

    scores: _Counts
    levels: _Counts

    def __add__(self, other: Tally) -> Tally:
        """Return the counts of both."""
        return Tally(self.scores + other.scores, self.levels + other.levels)

    @property
    def windows(self) -> int:
        """How many windows were counted."""
        return int(self.scores.sum())

    @property
    def mean_db(self) -> Floats:
        """The mean level of each band, (F,) dB re 1 count²/Hz."""
        middles = np.arange(LOWEST_DB, HIGHEST_DB) + 0.5
        return np.asarray(self.levels @ middles / max(self.windows, 1))

    def as_json(self) -> dict[str, Any]:
        """Return plain values; of each band's levels only what lies between its outermost ones."""
        firsts = np.argmax(self.levels > 0, axis=1)
        ends = BINS - np.argmax(self.levels[:, ::-1] > 0, axis=1)
        levels = [row[a:b].tolist() for row, a, b in zip(self.levels, firsts, ends, strict=True)]
        lowest_db = (LOWEST_DB + firsts).tolist()
        return {"scores": self.scores.tolist(), "lowest_db": lowest_db, "levels": levels}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Tally:
        """Return the counts of plain values.

        Raises
        ------
        ValueError
            If they are not such counts.
        """
        levels = np.zeros((len(values["levels"]), BINS), np.int64)
        for row, low_db, counts in zip(levels, values["lowest_db"], values["levels"], strict=True):
            first = low_db - LOWEST_DB
            row[first : first + len(counts)] = counts
        scores = np.array(values["scores"], np.int64)
        if scores.ndim != 1 or (levels < 0).any() or (levels.sum(axis=1) != scores.sum()).any():
            raise ValueError("tally: found bands with other counts than scores, wanted all alike")
        return cls(scores, levels)


def empty(edges: Floats, bands: int) -> Tally:
    """Return the counts of nothing."""
    return Tally(np.zeros(len(edges) + 1, np.int64), np.zeros((bands, BINS), np.int64))


def tally(scores: Sequence[Score], edges: Floats) -> Tally:
    """Return the counts of windows, one or more; `edges` (K - 1,) part the bins of score."""
    values = np.array([score.score for score in scores])
    binned = np.searchsorted(edges, values, side="right")
    return Tally(np.bincount(binned, minlength=len(edges) + 1), _levels(scores))


def tally_of_levels(windows: Sequence[Window]) -> Tally:
    """Return the counts of windows, one or more, that nobody has scored: of one bin of score."""
    return Tally(np.array([len(windows)]), _levels(windows))


def _levels(windows: Sequence[Score] | Sequence[Window]) -> _Counts:
    levels_db = np.stack([window.background_db for window in windows])
    cells = np.clip(np.floor(levels_db).astype(np.int64) - LOWEST_DB, 0, BINS - 1)
    bands = levels_db.shape[1]
    flat = np.bincount((cells + BINS * np.arange(bands)).ravel(), minlength=bands * BINS)
    return flat.reshape(bands, BINS)
