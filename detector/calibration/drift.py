"""How far sound has drifted from the sound that a model was calibrated on.

Two figures, each with its expected value and its 99 % point while nothing has drifted:

- of scores, the Jensen-Shannon distance (base 2, 0 to 1) between their distributions, in
  bins at quantiles of the calibration.  It is finite where a bin is empty, which PSI and
  Kullback-Leibler are not; sees a change of shape as well as of place, also in the tail,
  which Kolmogorov-Smirnov hardly does; and does not depend on how loud the loudest is,
  which Wasserstein does.  It grows in proportion to a small change.
  Source: Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Inform.
  Theory 37, 1991; that the root is a metric: Endres and Schindelin, ibid. 49, 2003.
- of absolute levels, the Wasserstein distance of each band's distribution, in dB, as root
  mean square over the bands.  It is how many dB the sound was moved by, however little the
  distributions overlap.  Source: Vallender, Theory Probab. Appl. 18, 1973.

Windows of a second are alike for minutes, and hours of a day for its weather, so formulas
for independent samples promise far too narrow a spread.  Here each block of the
calibration, an evening or an hour, is measured against all the others; the logarithms of
these distances are taken for normal, and the 99 % point is what one more block stays below.
Source: the prediction bound of Hahn and Meeker, "Statistical Intervals", 1991, section 4.7.
However much sound is compared, it is taken for one block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import scipy.stats
from scipy.special import rel_entr

from detector.calibration.blocks import blocks_of, hours_utc
from detector.calibration.tally import Floats, Tally, tally
from detector.values import Score

FEWEST_WINDOWS: Final = 3000  # fifty minutes: of less, one ship would be a drift
MOVED_DB: Final = 3.0
"""A band is said to have moved if its mean level is this much off."""

_QUANTILES: Final = (*np.linspace(0.05, 0.95, 19).tolist(), 0.98, 0.99, 0.995, 0.999)
_FEWEST_BLOCKS: Final = 3  # of two, there is no spread to speak of
_CERTAIN: Final = 0.99
_LEAST: Final = {"score": 0.01, "level": 0.1}  # smaller distances are those of the bins


@dataclass(frozen=True, slots=True)
class Usual:
    """What a statistic is while nothing has drifted: its mean and its 99 % point."""

    expected: float
    p99: float


@dataclass(frozen=True, slots=True)
class Change:
    """A statistic, and what it is while nothing has drifted."""

    statistic: float
    expected: float
    p99: float

    @property
    def ratio(self) -> float:
        """The statistic over its 99 % point: above 1 something has changed."""
        return self.statistic / self.p99


@dataclass(frozen=True, eq=False)
class Drift:
    """How far so many windows lie from the calibration.

    `score` is a distance from 0 to 1, `level` one in dB; `moved_db` (F,) is how much
    louder each band is, in the mean.
    """

    windows: int
    score: Change
    level: Change
    moved_db: Floats

    def as_json(self, edges_hz: Sequence[float]) -> dict[str, Any]:
        """Return plain values; `edges_hz` (F + 1,) are those of the bands."""
        return {
            "windows": self.windows,
            "score": asdict(self.score) | {"ratio": self.score.ratio},
            "level": asdict(self.level) | {"ratio": self.level.ratio},
            "moved": moved_bands(self.moved_db, edges_hz),
        }


@dataclass(frozen=True, eq=False)
class Reference:
    """The sound that a model was calibrated on: `edges` (K - 1,) part its bins of score.

    `hours_utc` are the hours of the day that it was of, or none if it was of no day: only
    sound of the same hours can be compared with it.
    """

    edges: Floats
    heard: Tally
    blocks: int
    score: Usual
    level: Usual
    hours_utc: tuple[int, ...] = ()

    def tally(self, scores: Sequence[Score]) -> Tally:
        """Return the counts of windows, one or more, as `drift` compares them."""
        return tally(scores, self.edges)

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the model's card."""
        return {
            "blocks": self.blocks,
            "hours_utc": list(self.hours_utc),
            "score": asdict(self.score),
            "level": asdict(self.level),
            "edges": self.edges.tolist(),
            "heard": self.heard.as_json(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Reference:
        """Return the reference of a model's card.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is none.
        """
        edges = np.array(values["edges"], np.float64)
        counts = Tally.from_json(values["heard"])
        if len(counts.scores) != len(edges) + 1:
            raise ValueError(
                f"reference: found {len(edges)} edges and {len(counts.scores)} bins of score"
            )
        usual = Usual(**values["score"]), Usual(**values["level"])
        return cls(edges, counts, int(values["blocks"]), *usual, tuple(values["hours_utc"]))


def reference_of(
    stretches: Sequence[Sequence[Score]], *, of_the_day: bool = True
) -> Reference | None:
    """Return the reference of the scores of a calibration, or None of too little.

    `of_the_day` says whether its sound has a time of day; that of a simulation has none.
    """
    heard = [stretch for stretch in stretches if stretch]
    blocks = blocks_of(heard)
    if len(blocks) < _FEWEST_BLOCKS:
        return None
    values = np.array([score.score for stretch in heard for score in stretch])
    edges = np.unique(np.quantile(values, _QUANTILES))
    counts = [tally(block, edges) for block in blocks]
    total = sum(counts[1:], counts[0])
    rest = [Tally(total.scores - c.scores, total.levels - c.levels) for c in counts]
    pairs = list(zip(counts, rest, strict=True))
    score = _usual([score_distance(a, b) for a, b in pairs], _LEAST["score"])
    level = _usual([level_distance(a, b) for a, b in pairs], _LEAST["level"])
    return Reference(
        edges, total, len(blocks), score, level, hours_utc(heard) if of_the_day else ()
    )


def drift(reference: Reference, heard: Tally) -> Drift | None:
    """Return how far sound has drifted, or None of too little sound to say."""
    if heard.windows < FEWEST_WINDOWS:
        return None
    score, level = reference.score, reference.level
    return Drift(
        heard.windows,
        Change(score_distance(heard, reference.heard), score.expected, score.p99),
        Change(level_distance(heard, reference.heard), level.expected, level.p99),
        heard.mean_db - reference.heard.mean_db,
    )


def score_distance(one: Tally, other: Tally) -> float:
    """Return the Jensen-Shannon distance of two distributions of scores, 0 to 1."""
    p, q = one.scores / one.windows, other.scores / other.windows
    middle = (p + q) / 2
    divergence = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2 / np.log(2)
    return float(np.sqrt(max(divergence, 0.0)))


def level_distance(one: Tally, other: Tally) -> float:
    """Return the root mean square over bands of their Wasserstein distances, in dB."""
    below = [np.cumsum(heard.levels, axis=1) / heard.windows for heard in (one, other)]
    each_db = np.abs(below[0] - below[1]).sum(axis=1)  # of bins that are 1 dB wide
    return float(np.sqrt(np.mean(np.square(each_db))))


def moved_bands(moved_db: Floats, edges_hz: Sequence[float]) -> list[dict[str, float]]:
    """Return the runs of bands that moved by 3 dB or more the same way, `low_hz high_hz db`."""
    way = np.where(np.abs(moved_db) >= MOVED_DB, np.sign(moved_db), 0).astype(int)
    cuts = np.flatnonzero(np.diff(way)) + 1
    runs = zip([0, *cuts.tolist()], [*cuts.tolist(), len(way)], strict=True)
    return [
        {"low_hz": edges_hz[a], "high_hz": edges_hz[b], "db": float(moved_db[a:b].mean())}
        for a, b in runs
        if way[a]
    ]


def _usual(distances: Sequence[float], least: float) -> Usual:
    values = np.maximum(distances, least)
    logs, count = np.log(values), len(values)
    t = float(scipy.stats.t.ppf(_CERTAIN, count - 1))
    p99 = float(np.exp(logs.mean() + t * logs.std(ddof=1) * np.sqrt(1 + 1 / count)))
    return Usual(float(values.mean()), p99)
