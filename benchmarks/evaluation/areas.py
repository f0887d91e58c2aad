"""Scores and labels → how well the atypical is told from the typical, with intervals.

Nothing here knows what made a score, so that gumiho and its baselines are measured alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from acoio.errors import DataError
from detector.calibration.intervals import CONFIDENCE, Estimate

_Floats: TypeAlias = NDArray[np.float64]
_Bools: TypeAlias = NDArray[np.bool_]
_Indices: TypeAlias = NDArray[np.intp]
Measure: TypeAlias = Callable[[_Floats, _Bools], float]

_FEWEST_BLOCKS: Final = 2  # with one block of a class a resample says nothing of its spread


@dataclass(frozen=True, slots=True)
class _Stratum:
    """Blocks of one kind: `counts` rows each, (blocks,), from `starts` on in `rows` (n,)."""

    rows: _Indices
    starts: _Indices
    counts: _Indices

    def redrawn(self, rng: np.random.Generator) -> _Indices:
        """Return the rows of as many blocks, drawn with replacement."""
        drawn = rng.integers(len(self.starts), size=len(self.starts))
        counts = self.counts[drawn]
        before = np.cumsum(counts) - counts
        places = np.repeat(self.starts[drawn] - before, counts) + np.arange(counts.sum())
        return np.asarray(self.rows[places])


def roc_auc(scores: _Floats, atypical: _Bools) -> float:
    """Return how often an atypical window outscores a typical one, 2 x (n,) → 0 to 1.

    Raises
    ------
    DataError
        If lengths differ, a score is not finite, or a class is missing; so in all below.
    """
    _check(scores, atypical)
    return float(roc_auc_score(atypical, scores))


def partial_auc(scores: _Floats, atypical: _Bools, *, most_false: float = 0.1) -> float:
    """Return the area up to the false-alarm share `most_false`, 2 x (n,) → 0 to 1.

    Standardised, so that chance gives 0.5 and the perfect score 1.

    Source: McClish, Medical Decision Making 9(3), 1989.
    """
    _check(scores, atypical)
    if not 0 < most_false <= 1:
        raise DataError(f"partial AUC: found a share of {most_false:g}, wanted over 0, to 1")
    return float(roc_auc_score(atypical, scores, max_fpr=most_false))


def average_precision(scores: _Floats, atypical: _Bools) -> float:
    """Return the precision averaged over the recall, 2 x (n,) → 0 to 1.

    Chance gives the share of atypical windows, so it compares within one set only.
    """
    _check(scores, atypical)
    return float(average_precision_score(atypical, scores))


def bootstrap(
    measure: Measure,
    scores: _Floats,
    atypical: _Bools,
    *,
    seed: int,
    blocks: NDArray[Any] | None = None,
    draws: int = 1000,
) -> Estimate:
    """Return a measure with its percentile interval, (n,) or (n, m) scores and (n,) labels.

    What is drawn again are whole `blocks` (n,), of windows of one call or of one
    minute, since neighbours are not independent; without them, single windows.
    Blocks are drawn within their kind (typical, atypical, of both), which keeps
    every class in every draw.  One seed draws the same windows for every score,
    so a measure over the columns of (n, 2) scores gives a paired difference.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, 13.3;
    Künsch, Annals of Statistics 17(3), 1989, for blocks.
    """
    _check(scores, atypical)
    if blocks is not None and blocks.shape != atypical.shape:
        raise DataError(f"blocks: found {blocks.shape}, wanted {atypical.shape}, as many as labels")
    if draws < 1:
        raise DataError(f"draws: found {draws}, wanted 1 or more")
    strata = _strata(atypical, np.arange(len(atypical)) if blocks is None else blocks)
    rng = np.random.default_rng(seed)
    found = np.empty(draws)
    for k in range(draws):
        rows = np.concatenate([stratum.redrawn(rng) for stratum in strata])
        found[k] = measure(scores[rows], atypical[rows])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(found, (tail, 1 - tail))
    return Estimate(measure(scores, atypical), float(low), float(high))


def _check(scores: _Floats, atypical: _Bools) -> None:
    if atypical.dtype != np.bool_ or atypical.ndim != 1:
        raise DataError(f"labels: found {atypical.dtype} {atypical.shape}, wanted bool (n,)")
    if len(scores) != len(atypical):
        raise DataError(f"scores: found {len(scores)}, wanted {len(atypical)}, one for each label")
    if bad := int(np.count_nonzero(~np.isfinite(scores))):
        raise DataError(f"scores: found {bad} that are not finite, wanted none")
    if not 0 < int(atypical.sum()) < len(atypical):
        wanted = "wanted some of both classes"
        raise DataError(f"labels: found {atypical.sum()} atypical of {len(atypical)}, {wanted}")


def _strata(atypical: _Bools, blocks: NDArray[Any]) -> list[_Stratum]:
    """Return the blocks by kind: of typical windows, of atypical, of both."""
    of_row = np.unique(blocks, return_inverse=True)[1]
    counts = np.bincount(of_row)
    share = np.bincount(of_row, atypical) / counts
    for name, holds in (("typical", share < 1), ("atypical", share > 0)):
        if holds.sum() < _FEWEST_BLOCKS:
            wanted = f"wanted {_FEWEST_BLOCKS} or more"
            raise DataError(f"blocks: found {holds.sum()} with {name} windows, {wanted}")
    rows, starts = np.argsort(of_row, kind="stable"), np.cumsum(counts) - counts
    kinds = (share == 0, share == 1, (share > 0) & (share < 1))
    return [_Stratum(rows, starts[kind], counts[kind]) for kind in kinds if kind.any()]
