"""What flows through the detector: Window, Score, Event."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acoio.sound import Gap

_Floats = NDArray[np.float32]
Span: TypeAlias = tuple[datetime, datetime]
"""From when to when something lasts."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Band levels of a stretch of sound, on the grid of absolute time.

    `excess_db` (F, T) is the level of each band above its own recent past;
    `spread_db` (F,) how far the quiet half of that past lies below its middle, and
    `background_db` (F,) where that middle is, in dB re 1 count²/Hz;
    `file` and `sample` say where the window's sound begins.
    """

    begin: datetime
    end: datetime
    excess_db: _Floats
    spread_db: _Floats
    background_db: _Floats
    file: str
    sample: int


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """How unusual a window is: `score` against `threshold`.

    `contribution` (F,) says how much each band gave to the score, which is
    their sum; `level_db` (F,) how far each band rose above its recent past, which
    was at `background_db` (F,), in dB re 1 count²/Hz.
    """

    begin: datetime
    end: datetime
    score: float
    threshold: float
    contribution: _Floats
    level_db: _Floats
    background_db: _Floats
    file: str
    sample: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something unusual: windows over the threshold, joined.

    `score` is that of the peak, `peak_hz` the band that gave most of it there and
    `level_db` how far that band rose above its background; `sample` counts
    within `file`.  An event is "open" from its beginning, with what is known by
    then, and "closed" once it has ended; both bear the same `id`.
    """

    id: str
    status: str
    begin: datetime
    peak: datetime
    end: datetime
    score: float
    mean_score: float
    threshold: float
    low_hz: float
    high_hz: float
    peak_hz: float
    level_db: float
    severity: str
    model: str
    file: str
    sample: int


def iso(when: datetime) -> str:
    """Return a time as ISO 8601 in UTC with microseconds, ending in Z."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event_json(event: Event) -> dict[str, Any]:
    """Return an event under its public field names, times in ISO 8601."""
    return {f.name: _plain(getattr(event, f.name)) for f in fields(event)}


def score_json(score: Score) -> dict[str, Any]:
    """Return the public part of a score: begin, end, score, threshold."""
    names = ("begin", "end", "score", "threshold")
    return {name: _plain(getattr(score, name)) for name in names}


def gap_json(gap: Gap) -> dict[str, Any]:
    """Return a gap under its public field names, times in ISO 8601; `reason` is "" if unknown."""
    span = {"begin": iso(gap.begin), "end": iso(gap.end)}
    return {**span, "seconds": gap.seconds, "reason": gap.reason}


def _plain(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else value
