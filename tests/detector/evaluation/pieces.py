"""Small pieces of windows with known levels, and scoring functions of our own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from acoio.simulate import Truth
from detector.evaluation import Call, Piece
from detector.events import EventSettings
from detector.values import Score, Span, Window
from tests.detector.sounds import BEGIN, score, window

EDGES_HZ = (10.0, 100.0, 200.0, 400.0, 800.0)
THRESHOLD = 10.0


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


def windows(levels: Sequence[float] | NDArray[np.float64], first: float = 0.0) -> list[Window]:
    """Return a window a second whose excess adds up to each level."""
    return [
        window(np.full((4, 2), level / 8, np.float32), first + k) for k, level in enumerate(levels)
    ]


def call(
    begin: float, end: float, label: str = "song", snr_db: float = 0.0, *, block: str = ""
) -> Call:
    truth = Truth(at(begin), at(end), 110.0, 180.0, label, snr_db, "call")
    return Call(truth, block or f"{label} {begin}")


def piece(
    levels: Sequence[float] | NDArray[np.float64],
    calls: Sequence[Call] = (),
    *,
    quiet: tuple[Span, ...] = (),
    name: str = "p",
) -> Piece:
    return Piece(name, [windows(levels)], tuple(calls), (), quiet)


def excess(some: Sequence[Window]) -> NDArray[np.float64]:
    """Score windows by the sum of what lies above their past."""
    return np.array([one.excess_db.sum() for one in some], np.float64)


class ExcessScorer:
    """The same as a model, whose scores lie mostly in the second band."""

    def score(self, some: Sequence[Window]) -> list[Score]:
        seconds = [(one.begin - BEGIN).total_seconds() for one in some]
        values = excess(some).tolist()
        return [score(s, v, threshold=THRESHOLD) for s, v in zip(seconds, values, strict=True)]

    def event_settings(self, station: str) -> EventSettings:
        return EventSettings(station, "excess", THRESHOLD, THRESHOLD / 2, EDGES_HZ)


def sea(seconds: int, *, seed: int, loud: Sequence[tuple[int, int]] = ()) -> NDArray[np.float64]:
    """Return exponential levels, a value a second, with 30 more in some spans."""
    levels = np.random.default_rng(seed).exponential(size=seconds)
    for first, last in loud:
        levels[first:last] += 30
    return levels
