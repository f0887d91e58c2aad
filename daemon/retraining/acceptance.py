"""The gate: figures of a candidate and of the champion in, reasons against it out.

Small numbers must not decide by chance, so a rate or a share is held against a candidate
only where chance hardly explains it; a test that is made of each hour of the day, or of
each kind of call, asks for as much more certainty.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.stats import binom, binomtest, norm, poisson

from daemon.retraining.examination import reasons_of
from daemon.retraining.figures import Figures, counted, found_before
from daemon.retraining.trials import Pair, by_kind

FACTOR: Final = 2.0
"""Alarms may be this many times more, or fewer, than promised and than the champion's."""

MARGIN: Final = 0.05
"""Of the injected calls so many may be found less often, with 95 % certainty."""

MOST_LOST: Final = 0.1
"""Of the confirmed calls so many may be lost, or one: the champion chose most of them."""

LEAST_HEARD: Final = 1 / 2
"""Of what the champion finds as it scores now, and the station's first model as it did.

However well it keeps the promise: deafness is not brought in while nobody looks, neither
at once nor by little and little.
"""

SLOWEST: Final = 2.0
_FEWEST_FOUND: Final = 10  # calls of a kind: of fewer, half is no number
_CHANCE: Final = 0.01
_CONFIDENCE: Final = 0.95


def reasons_against(figures: Figures) -> tuple[str, ...]:
    """Return in words what keeps a candidate from scoring; nothing if it may."""
    return (
        *reasons_of(figures.health, figures.missing),
        *_of_scores(figures),
        *_of_alarms(figures),
        *_of_injected(figures.injected),
        *_of_confirmed(figures.confirmed),
    )


def lower_bound(pairs: Sequence[Pair]) -> float:
    """Return how much more often the candidate finds a call, at least, with 95 % certainty.

    Source: Agresti and Min, Statistics in Medicine 24, 2005: half a pair is added to each
    cell, so that a few pairs are not taken for certain.
    """
    lost, won = (0.5 + count for count in _changed(pairs))
    total = len(pairs) + 2
    spread = math.sqrt(max(lost + won - (won - lost) ** 2 / total, 0.0))
    return float((won - lost - norm.ppf(_CONFIDENCE) * spread) / total)


def _of_scores(figures: Figures) -> Iterator[str]:
    if not figures.repeats:
        yield "scores: found others for the same windows, wanted the same bits"
    champion_s, candidate_s = figures.seconds
    if candidate_s > SLOWEST * champion_s:
        yield (
            f"speed: found {candidate_s / champion_s:.1f} times the champion's time for a "
            f"window, wanted at most {SLOWEST:g}"
        )
    champion, candidate = figures.score_drift
    if candidate is not None and candidate > max(1.0, champion or 0.0):
        yield (
            f"scores of the newest evenings: found {candidate:.2f} times as far from the "
            "candidate's calibration as chance explains, wanted at most 1, or the champion's "
            f"{champion or 0.0:.2f}"
        )


def _of_alarms(figures: Figures) -> Iterator[str]:
    """Yield where the rate is beyond a factor of two of promise and champion alike.

    The whole week is tested, and each hour of the day.
    """
    champion, candidate = figures.champion_alarms, figures.candidate_alarms
    wholes = [a.counts.sum() for a in (champion, candidate)]
    rows = [("all hours", *wholes, float(candidate.hours.sum()), _CHANCE)]
    for hour in np.flatnonzero(candidate.hours > 0).tolist():
        counts = champion.counts[hour], candidate.counts[hour]
        rows.append(
            (f"{hour:02} h", *counts, float(candidate.hours[hour]), _CHANCE / len(candidate.hours))
        )
    for when, old, new, hours, chance in rows:
        promised = figures.promised_per_hour
        way = _beyond(int(old), int(new), hours=hours, promised=promised, chance=chance)
        if way:
            yield (
                f"alarms, {when}: found {new:g} in {hours:.1f} h, {way} {FACTOR:g} times the "
                f"champion's {old:g} and the {promised * hours:.1f} promised"
            )


def _beyond(old: int, new: int, *, hours: float, promised: float, chance: float) -> str:
    """Return in words how a count is beyond a factor of what is promised and of another count.

    Of two Poisson counts whose rates stand as r to 1, the first has a binomial share
    r / (1 + r) of their sum.  Source: Przyborowski and Wilenski, Biometrika 31, 1940.
    """
    share = FACTOR / (1 + FACTOR)
    more = (
        poisson.sf(new - 1, FACTOR * promised * hours),
        binom.sf(new - 1, old + new, share),
    )
    fewer = (poisson.cdf(new, promised * hours / FACTOR), binom.cdf(new, old + new, 1 - share))
    if max(more) < chance:
        return "more than"
    return "fewer than one in" if max(fewer) < chance else ""


def _of_injected(pairs: Sequence[Pair]) -> Iterator[str]:
    if not pairs:
        yield "injected calls: found none, wanted some to be tested by"
        return
    bound = lower_bound(pairs)
    if bound < -MARGIN:
        yield f"injected calls: {_told(pairs)}; it may find {-bound:.1%} less, wanted {MARGIN:.0%}"
    kinds = by_kind(pairs)
    yield from _of_deafness("injected calls", pairs)
    for kind, of_kind in kinds.items():
        yield from _of_deafness(f"injected calls, {kind}", of_kind)
        lost, won = _changed(of_kind)
        if lost > won and _sign_test(lost, won) < _CHANCE / len(kinds):
            yield f"injected calls, {kind}: {_told(of_kind)}, which is no chance"


def _of_deafness(what: str, pairs: Sequence[Pair]) -> Iterator[str]:
    new, old = sum(pair.candidate for pair in pairs), max(found_before(pairs), default=0)
    if old >= _FEWEST_FOUND and new < LEAST_HEARD * old:
        yield (
            f"{what}: found {new} of {len(pairs)}, what scored until now {old}, wanted "
            f"{LEAST_HEARD:.0%} of these; if fewer alarms are worth it, promote it by hand"
        )


def _of_confirmed(pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield what is lost of the calls that people confirmed, by what the champion finds as it is.

    What it finds by too many false alarms is no merit, but these were none.
    """
    pairs = [replace(pair, champion=pair.before[0]) for pair in pairs]
    lost, won = _changed(pairs)
    most = max(1.0, MOST_LOST * len(pairs))
    if lost - won > most:
        yield (
            f"confirmed calls: {_told(pairs)}, {lost - won} fewer, wanted at most {most:.0f}; "
            f"with 95 % certainty it finds at most {-lower_bound(pairs):.0%} less"
        )


def _sign_test(lost: int, won: int) -> float:
    return float(binomtest(lost, lost + won, alternative="greater").pvalue)


def _changed(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Return how many only the champion found, and how many only the candidate."""
    lost = sum(pair.champion and not pair.candidate for pair in pairs)
    return lost, sum(pair.candidate and not pair.champion for pair in pairs)


def _told(pairs: Sequence[Pair]) -> str:
    count = counted(pairs)
    return f"found {count['candidate']} of {count['calls']}, the champion {count['champion']}"
