"""Scores, labels and weights → the ROC curve, the areas under it, and their intervals.

What `benchmarks.evaluation.areas` says, for weighted windows and in a fiftieth of the time:
scores are sorted once, and a bootstrap draw is a weight for each window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acoio.errors import DataError
from detector.calibration.intervals import CONFIDENCE

_Floats: TypeAlias = NDArray[np.float64]
_Bools: TypeAlias = NDArray[np.bool_]
_Ints: TypeAlias = NDArray[np.int64]

MOST_FALSE: Final = 0.1  # p of the partial AUC
DRAWS: Final = 500
FEWEST_BLOCKS: Final = 5  # with fewer a resample says little of the spread
TAILS: Final = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


@dataclass(frozen=True, eq=False)
class Curve:
    """Shares (m,) of typical and of atypical windows that reach each of m falling scores."""

    false: _Floats
    found: _Floats
    precision: _Floats

    def auc(self) -> float:
        """Return the area under it: how often an atypical window outscores a typical one."""
        return float(np.trapezoid(self.found, self.false))

    def partial_auc(self, most_false: float = MOST_FALSE) -> float:
        """Return the area up to a share of false alarms, standardised: chance gives 0.5.

        Source: McClish, Medical Decision Making 9(3), 1989.
        """
        last = int(np.searchsorted(self.false, most_false, "right"))
        false = np.append(self.false[:last], most_false)
        edge = np.interp(most_false, self.false, self.found)
        area = float(np.trapezoid(np.append(self.found[:last], edge), false))
        least = 0.5 * most_false**2
        return 0.5 * (1 + (area - least) / (most_false - least))

    def average_precision(self) -> float:
        """Return the precision averaged over the recall."""
        return float(np.sum(np.diff(self.found) * self.precision[1:]))

    def areas(self) -> tuple[float, float, float]:
        """Return AUC, partial AUC and average precision."""
        return self.auc(), self.partial_auc(), self.average_precision()


class Ranking:
    """Windows sorted by score, (n,) scores and labels; one curve for each set of weights (n,)."""

    def __init__(self, scores: _Floats, atypical: _Bools) -> None:
        if not (scores.shape == atypical.shape and np.isfinite(scores).all()):
            raise DataError(f"ranking: found {scores.shape} scores for {atypical.shape} labels")
        if not 0 < int(atypical.sum()) < len(atypical):
            found = f"{int(atypical.sum())} atypical of {len(atypical)}"
            raise DataError(f"ranking: found {found} windows, wanted some of both")
        self._order = np.argsort(-scores, kind="stable")
        falling = scores[self._order]
        self._ends = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # of ties
        self._atypical = atypical[self._order]

    def curve(self, weights: _Floats | None = None) -> Curve:
        """Return the curve, each window counted as often as its weight says."""
        weight = np.ones(len(self._order)) if weights is None else weights[self._order]
        hits = np.cumsum(np.where(self._atypical, weight, 0))[self._ends]
        alarms = np.cumsum(np.where(self._atypical, 0, weight))[self._ends]
        precision = hits / np.maximum(hits + alarms, np.finfo(float).tiny)
        return Curve(
            np.append(0.0, alarms / alarms[-1]),
            np.append(0.0, hits / hits[-1]),
            np.append(1.0, precision),
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """A value and its interval; `low` and `high` are None with too few blocks to tell one."""

    value: float
    low: float | None
    high: float | None


def measured_areas(
    scores: _Floats, atypical: _Bools, blocks: _Ints, *, seed: int
) -> tuple[Measured, Measured, Measured]:
    """Return AUC, partial AUC and average precision, with intervals by whole blocks.

    Blocks are drawn again within their class; none holds windows of both.

    Source: as `detector.calibration.intervals.bootstrap`.
    """
    ranking = Ranking(scores, atypical)
    values = ranking.curve().areas()
    of_class = [np.unique(blocks[atypical == kind]) for kind in (False, True)]
    if min(map(len, of_class)) < FEWEST_BLOCKS:
        auc, partial, precision = (Measured(value, None, None) for value in values)
        return auc, partial, precision
    rng = np.random.default_rng(seed)
    names, of_row = np.unique(blocks, return_inverse=True)
    groups = [np.searchsorted(names, each) for each in of_class]
    drawn = np.array([ranking.curve(_times(groups, rng)[of_row]).areas() for _ in range(DRAWS)])
    low, high = np.quantile(drawn, TAILS, axis=0)
    auc, partial, precision = (
        Measured(value, float(low[k]), float(high[k])) for k, value in enumerate(values)
    )
    return auc, partial, precision


def _times(groups: list[NDArray[np.intp]], rng: np.random.Generator) -> _Floats:
    """Return how often each block is drawn, (blocks,)."""
    counts = np.zeros(sum(map(len, groups)))
    for members in groups:
        drawn = rng.integers(len(members), size=len(members))
        counts[members] = np.bincount(drawn, minlength=len(members))
    return counts
