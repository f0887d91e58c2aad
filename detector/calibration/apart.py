"""Which events stand apart from typical sound: these are no false alarms.

Hours that are taken for typical have calls and noises that nobody has judged.  Counted as
false alarms they lift the threshold over everything that is like them, and the model goes
deaf.  But the peaks of typical sound over a release fall off about exponentially: the
highest of n then lies ln n times their scale above the release.  What is four times as
high stands apart.

That the tail is exponential is taken for granted, from how scores of noise behave; were
it heavier, the loudest of it would be taken for calls, and the rate kept be higher than
what was promised: for tails of generalised Pareto of shape 0.2 not at all, of 0.5 by
half (`tests/detector/test_apart.py`).  The release is low and the scale is told by the
median, so that calls in a twentieth of all windows change nothing; where there are more
peaks of calls than of typical sound, none stands apart, and all count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import to_us
from detector.calibration.alarm_rates import events_of
from detector.calibration.intervals import wilson
from detector.values import Score, Span

APART_QUANTILE: Final = 0.9
"""Of the scores of all windows: above it lie hundreds of typical peaks an hour."""

TIMES_THE_HIGHEST: Final = 4.0
_FEWEST: Final = 10  # peaks: of fewer, nobody knows the scale


@dataclass(frozen=True)
class Judged:
    """What people said of events: `rejected` spans hold nothing, and so does a share of others.

    `likely_nothing` is the least share, with some certainty, of those that nobody judged.
    """

    rejected: Sequence[Span] = ()
    likely_nothing: float = 0.0

    @classmethod
    def of(cls, rejected: Sequence[Span], *, confirmed: int) -> Judged:
        """Return what so many verdicts say, the least share with Wilson's interval."""
        said = len(rejected) + confirmed
        return cls(rejected, wilson(len(rejected), said).low if said else 0.0)


@dataclass(frozen=True, eq=False)
class Passage:
    """Scores (n,) of an unbroken stretch; -inf are windows that are left out."""

    begins_us: NDArray[np.int64]
    ends_us: NDArray[np.int64]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, stretch: Sequence[Score]) -> Passage:
        return cls(
            np.array([to_us(score.begin) for score in stretch], np.int64),
            np.array([to_us(score.end) for score in stretch], np.int64),
            np.array([score.score for score in stretch]),
        )

    @property
    def hours(self) -> float:
        return float(self.ends_us[-1] - self.begins_us[0]) / 3600e6

    def events(self, release: float) -> Iterator[tuple[NDArray[np.intp], float]]:
        """Yield the windows of each event, (m,), and its highest score."""
        for event in events_of(self.begins_us, self.ends_us, self.scores, release):
            yield event, float(self.scores[event].max())

    def touches(self, event: NDArray[np.intp], spans: Sequence[Span]) -> bool:
        begin_us, end_us = self.begins_us[event[0]], self.ends_us[event[-1]]
        return any(to_us(begin) < end_us and begin_us < to_us(end) for begin, end in spans)


def without_apart(heard: Sequence[Passage], judged: Judged) -> tuple[list[Passage], int]:
    """Return what was heard without the events that stand apart, and how many these are."""
    release = quantile_of(heard, APART_QUANTILE)
    found = [(k, *event) for k, part in enumerate(heard) for event in part.events(release)]
    peaks = np.array([peak for _, _, peak in found])
    said = [heard[k].touches(event, judged.rejected) for k, event, _ in found]
    apart = stand_apart(peaks, release) & ~np.array(said, np.bool_)
    apart[apart] = ~evenly_of(peaks[apart], judged.likely_nothing)
    left = [part.scores.copy() for part in heard]
    for (k, event, _), out in zip(found, apart.tolist(), strict=True):
        if out:
            left[k][event] = -np.inf
    parts = zip(heard, left, strict=True)
    return [replace(part, scores=scores) for part, scores in parts], int(apart.sum())


def quantile_of(heard: Sequence[Passage], share: float) -> float:
    """Return a quantile of the scores of all windows that are not left out."""
    scores = np.concatenate([part.scores for part in heard])
    return float(np.quantile(scores[np.isfinite(scores)], share))


def stand_apart(peaks: NDArray[np.float64], release: float) -> NDArray[np.bool_]:
    """Return which peaks over a release stand apart from the others, (n,) → (n,)."""
    excess = peaks - release
    limit = np.inf
    while (lower := _limit(excess[excess <= limit])) < limit:
        limit = lower
    return np.asarray(excess > limit)


def evenly_of(peaks: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Return which peaks are a share of them, evenly from the highest to the lowest, (n,)."""
    rank = np.empty(len(peaks))
    rank[np.argsort(-peaks, kind="stable")] = np.arange(len(peaks))
    return np.asarray(np.floor((rank + 1) * share) > np.floor(rank * share))


def _limit(typical: NDArray[np.float64]) -> float:
    """Return above which excess a peak stands apart from these, infinite if nothing says so."""
    if len(typical) < _FEWEST:
        return np.inf
    scale = float(np.median(typical)) / np.log(2)
    return TIMES_THE_HIGHEST * scale * np.log(len(typical)) if scale > 0 else np.inf
