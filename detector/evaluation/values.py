"""Pieces of sound and what is known of them; and what remains of a piece once it is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acoio.clock import to_us
from acoio.errors import DataError
from acoio.simulate import Truth
from detector.calibration.alarm_rates import Stretch, stretches
from detector.events import EventSettings, EventTracker
from detector.training.mixing import NOTHING
from detector.values import Event, Score, Span, Window

_Floats: TypeAlias = NDArray[np.float64]
ScoreWindows: TypeAlias = Callable[[Sequence[Window]], _Floats]
"""What is measured: windows → how unusual each is, (n,), higher is more unusual."""


class EventScorer(Protocol):
    """A model that scores by bands and says what an event is: `detector.scoring.score.Scorer`."""

    def score(self, windows: Sequence[Window]) -> list[Score]: ...
    def event_settings(self, station: str) -> EventSettings: ...


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and the block that it is drawn again with: calls of a block are not independent."""

    truth: Truth
    block: str

    @property
    def nothing(self) -> bool:
        """Whether nothing was mixed in here, so that chance can be told."""
        return self.truth.snr_db == NOTHING


@dataclass(frozen=True, eq=False)
class Piece:
    """Windows of sound in order of time, in batches, and what is known to sound in them.

    `quiet` are the spans where nothing sounds but `calls`, and `others` the ships and
    noises of the gear.  If not `told`, something else may sound outside of these spans.
    Pieces of one `name` hold the same background.
    """

    name: str
    windows: Iterable[Sequence[Window]]
    calls: tuple[Call, ...] = ()
    others: tuple[Truth, ...] = ()
    quiet: tuple[Span, ...] = ()
    told: bool = True


@dataclass(frozen=True, eq=False)
class Scored:
    """A piece with the scores of its windows, each (n,), in place of the windows.

    `events` is None where a plain function made the scores.
    """

    piece: Piece
    begins_us: NDArray[np.int64]
    ends_us: NDArray[np.int64]
    scores: _Floats
    events: tuple[Event, ...] | None = None

    @property
    def window_s(self) -> float:
        """The length of a window."""
        return float((self.ends_us - self.begins_us).max()) / 1e6

    def stretches(self, *, step_s: float) -> list[Stretch]:
        """Return the scores as unbroken stretches, times in seconds since 1970."""
        return stretches(self.begins_us / 1e6, self.scores, step_s=step_s)

    def hours(self) -> float:
        """Return the hours of sound that windows cover."""
        steps_us = np.append(np.diff(self.begins_us), self.ends_us[-1] - self.begins_us[-1])
        return float(np.minimum(steps_us, self._reach_us()).sum()) / 3.6e9

    def over(self, begin: datetime, end: datetime) -> slice:
        """Return the windows that share time with a span."""
        first = int(np.searchsorted(self.ends_us, to_us(begin), "right"))
        return slice(first, max(first, int(np.searchsorted(self.begins_us, to_us(end), "left"))))

    def calls(self) -> list[Call]:
        """Return the calls that began while windows were scored; the others cannot be found."""
        return [call for call in self.piece.calls if self._heard(call)]

    def _heard(self, call: Call) -> bool:
        begin_us = to_us(call.truth.begin)
        k = int(np.searchsorted(self.begins_us, begin_us, "right")) - 1
        unbroken = k >= 0 and begin_us < int(self.begins_us[k]) + self._reach_us()
        over = self.over(call.truth.begin, call.truth.end)
        return unbroken and over.start < over.stop

    def _reach_us(self) -> float:
        """Return how long after a window's begin there is no gap: its length, or a step and half.

        Steps may be longer than windows.
        """
        steps_us = np.diff(self.begins_us)
        step_us = 1.5 * float(np.median(steps_us)) if len(steps_us) else 0.0
        return max(float((self.ends_us - self.begins_us).max()), step_us)


def scored(piece: Piece, score: ScoreWindows) -> Scored:
    """Return a piece scored by any function.

    Raises
    ------
    DataError
        If it gives no finite number for a window, or the piece has no windows.
    """
    return scored_by(piece, {"score": score})["score"]


def scored_by(piece: Piece, scores: Mapping[str, ScoreWindows]) -> dict[str, Scored]:
    """Return a piece scored by several functions, under their names; its windows come once."""
    begins: list[int] = []
    ends: list[int] = []
    given: dict[str, list[_Floats]] = {name: [] for name in scores}
    for windows in piece.windows:
        begins += [to_us(window.begin) for window in windows]
        ends += [to_us(window.end) for window in windows]
        for name, score in scores.items():
            given[name].append(_checked(score(windows) if windows else np.empty(0), windows, name))
    if not begins:
        raise DataError(f"{piece.name}: found no window to score, wanted over a minute of sound")
    kept = replace(piece, windows=())
    begins_us, ends_us = np.array(begins, np.int64), np.array(ends, np.int64)
    return {
        name: Scored(kept, begins_us, ends_us, np.concatenate(values))
        for name, values in given.items()
    }


def heard(piece: Piece, scorer: EventScorer) -> Scored:
    """Return a piece scored by a model, with the events that it makes of it."""
    tracker = EventTracker(scorer.event_settings("evaluation"))
    events: list[Event] = []

    def score(windows: Sequence[Window]) -> _Floats:
        found = scorer.score(windows)
        events.extend(tracker.push(found))
        return np.array([one.score for one in found])

    result = scored(piece, score)
    events.extend(tracker.flush())
    closed = tuple(event for event in events if event.status == "closed")
    return replace(result, events=closed)


def _checked(scores: _Floats, windows: Sequence[Window], name: str) -> _Floats:
    values = np.asarray(scores, np.float64)
    if values.shape != (len(windows),) or not np.isfinite(values).all():
        found = f"{int(np.isfinite(values).sum())} finite of shape {values.shape}"
        raise DataError(f"{name}: found {found} scores, wanted {len(windows)}, one a window")
    return values
