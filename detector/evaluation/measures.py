"""Scored pieces → how well calls are told from the rest, in all and by kind and SNR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acoio.errors import DataError
from detector.calibration.alarm_rates import call_groups
from detector.calibration.intervals import wilson
from detector.evaluation.curves import (
    DRAWS,
    FEWEST_BLOCKS,
    TAILS,
    Curve,
    Measured,
    Ranking,
    measured_areas,
)
from detector.evaluation.levels import Level
from detector.evaluation.tables import Table, table
from detector.evaluation.values import Call, Scored

_Floats: TypeAlias = NDArray[np.float64]
_Bools: TypeAlias = NDArray[np.bool_]

ALL: Final = "all"
BY_CHANCE: Final = "nothing mixed in"


@dataclass(frozen=True, slots=True)
class Share:
    """So many found of so many calls, with an interval."""

    found: int
    of: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Group:
    """A set of calls: `found` at each rate, None where the rate cannot be told.

    `windows` are atypical ones.  Areas are None where there are none of a class.
    """

    name: str
    calls: int
    blocks: int
    windows: int
    auc: Measured | None
    partial_auc: Measured | None
    average_precision: Measured | None
    found: tuple[Share | None, ...]


@dataclass(frozen=True, eq=False)
class Measures:
    """What a source of sound says of a score."""

    levels: tuple[Level, ...]
    groups: tuple[Group, ...]
    hours: float
    typical_windows: int
    typical_blocks: int
    calls_not_scored: int
    roc: Curve | None = field(default=None)
    peaks: _Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False)
class _Told:
    """Calls (m,) with their highest scores and blocks, the windows, and how to measure them."""

    peaks: _Floats
    blocks: NDArray[np.str_]
    table: Table
    levels: tuple[Level, ...]
    seed: int


def measure(pieces: Sequence[Scored], levels: Sequence[Level], *, seed: int) -> Measures:
    """Return the measures of pieces at thresholds.

    A call is found if the highest score of the windows that overlap it reaches the
    threshold.  For areas a window is atypical if it shares half of itself, or of the
    call, with the call, and typical if it lies in a quiet span and touches no call.

    Raises
    ------
    DataError
        If no call was scored.
    """
    heard = [(scored, call) for scored in pieces for call in scored.calls()]
    calls = [call for _, call in heard]
    real = np.array([not call.nothing for call in calls], np.bool_)
    if not real.any():
        raise DataError("evaluation: found no call in what was scored, wanted one or more")
    told = _Told(
        np.array([_peak(scored, call) for scored, call in heard]),
        np.array([call.block for call in calls]),
        table(pieces, calls),
        tuple(levels),
        seed,
    )
    groups = [_group(name, kind & real, told) for name, kind in _members(calls, real).items()]
    if not real.all():
        groups.append(_group(BY_CHANCE, ~real, told))
    typical = told.table.call < 0
    return Measures(
        levels=told.levels,
        groups=tuple(groups),
        hours=sum(scored.hours() for scored in pieces),
        typical_windows=int(typical.sum()),
        typical_blocks=len(np.unique(told.table.blocks[typical])),
        calls_not_scored=sum(len(scored.piece.calls) for scored in pieces) - len(calls),
        roc=_roc(told.table, typical | _of(told.table, real)),
        peaks=told.peaks[real],
    )


def share_of(found: int, of: int) -> Share:
    """Return a share of independent calls with Wilson's interval."""
    exact = wilson(found, of)
    return Share(found, of, exact.value, exact.low, exact.high)


def _group(name: str, members: _Bools, told: _Told) -> Group:
    whole, mine = told.table, _of(told.table, members)
    rows = mine | (whole.call < 0)
    areas: tuple[Measured | None, Measured | None, Measured | None] = (None, None, None)
    if mine.any() and not mine[rows].all():
        areas = measured_areas(whole.scores[rows], mine[rows], whole.blocks[rows], seed=told.seed)
    peaks, blocks = told.peaks[members], told.blocks[members]
    return Group(
        name=name,
        calls=len(peaks),
        blocks=len(np.unique(blocks)),
        windows=int(mine.sum()),
        auc=areas[0],
        partial_auc=areas[1],
        average_precision=areas[2],
        found=tuple(_share(peaks, blocks, level, seed=told.seed) for level in told.levels),
    )


def _share(peaks: _Floats, blocks: NDArray[np.str_], level: Level, *, seed: int) -> Share | None:
    """Return the share of calls whose peak reaches a threshold.

    Its interval reaches as far as Wilson's, and as that of a bootstrap over whole
    blocks of calls and over the sound that the threshold is from: Wilson's takes
    calls as independent and the threshold as known, and the bootstrap of none of ten
    found has no width.
    """
    if level.threshold is None:
        return None
    hit = peaks >= level.threshold
    exact = share_of(int(hit.sum()), len(hit))
    low, high = exact.low, exact.high
    names, of_call = np.unique(blocks, return_inverse=True)
    if len(names) >= FEWEST_BLOCKS:
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
        weights = drawn[:, of_call]
        at = level.drawn[:, None] if len(level.drawn) else np.full((DRAWS, 1), level.threshold)
        shares = (weights * (peaks >= at)).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
        least, most = np.quantile(shares, TAILS)
        low, high = min(low, float(least)), max(high, float(most))
    return replace(exact, low=low, high=high)


def _members(calls: Sequence[Call], real: _Bools) -> dict[str, _Bools]:
    """Return sets of calls by name: all, by kind, and by SNR where it is known."""
    labels = np.array([call.truth.label for call in calls])
    snrs = np.array([call.truth.snr_db for call in calls])
    sets = {ALL: real}
    sets |= {name[2:]: m for name, m in call_groups({"=": labels}).items() if name != ALL}
    for snr in np.unique(snrs[real & np.isfinite(snrs)]):
        sets[f"{snr:+.0f} dB"] = snrs == snr
    return {name: members for name, members in sets.items() if (members & real).any()}


def _of(whole: Table, members: _Bools) -> _Bools:
    """Return which windows are of these calls, (n,)."""
    return np.asarray((whole.call >= 0) & members[whole.call])


def _peak(scored: Scored, call: Call) -> float:
    return float(scored.scores[scored.over(call.truth.begin, call.truth.end)].max())


def _roc(whole: Table, used: _Bools) -> Curve | None:
    atypical = whole.call[used] >= 0
    if not 0 < int(atypical.sum()) < len(atypical):
        return None
    return Ranking(whole.scores[used], atypical).curve()
