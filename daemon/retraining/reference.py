"""Two models hear the same newest days: alarms by the hour of the day, and typical scores."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from daemon.retraining.hours import Hours
from detector.calibration.tally import Floats, Tally, tally
from detector.events import EventTracker
from detector.scoring.score import Scorer
from detector.training.choose import hour_of
from detector.training.recordings import windows_of
from detector.values import Event, Score, Window

_HOURS_A_DAY: Final = 24
_NO_EDGES: Final = np.empty(0)  # scores are not binned where a model has no reference


@dataclass(frozen=True, eq=False)
class Alarms:
    """How many events began in each hour of the local day, (24,), in so many hours heard."""

    counts: Floats
    hours: Floats


@dataclass(frozen=True, eq=False)
class Heard:
    """What a model made of the newest days.

    `alarms` are of all hours, but for what was learnt from or calibrated on; `typical`
    counts the typical windows there.
    """

    alarms: Alarms
    typical: Tally | None


class _Ear:
    """One model, and what it has heard so far."""

    def __init__(self, scorer: Scorer, hours: Hours, step_s: float) -> None:
        self._scorer, self._hours, self._step_s = scorer, hours, step_s
        self._zone = ZoneInfo(hours.choice.timezone)
        self._learnt = learnt_files(hours)
        reference = scorer.reference
        self._edges = reference.edges if reference else _NO_EDGES
        self._tracker = EventTracker(scorer.event_settings("retrain"))
        self._counts, self._hours_heard = np.zeros(_HOURS_A_DAY), np.zeros(_HOURS_A_DAY)
        self._typical: Tally | None = None

    def push(self, windows: Sequence[Window]) -> None:
        scores = self._scorer.score(windows)
        self._count(self._tracker.push(scores))
        for begin, group in groupby(scores, key=lambda score: hour_of(score.begin, self._zone)):
            self._hear(begin, list(group))

    def flush(self) -> Heard:
        self._count(self._tracker.flush())
        return Heard(Alarms(self._counts, self._hours_heard), self._typical)

    def _hear(self, begin: datetime, scores: list[Score]) -> None:
        new = [score for score in scores if score.file not in self._learnt]
        self._hours_heard[begin.hour] += len(new) * self._step_s / 3600
        if new and begin in self._hours.typical:
            counts = tally(new, self._edges)
            self._typical = self._typical + counts if self._typical else counts

    def _count(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.status == "closed" and event.file not in self._learnt:
                self._counts[event.begin.astimezone(self._zone).hour] += 1


def hear(hours: Hours, scorers: Sequence[Scorer]) -> Generator[str, None, list[Heard]]:
    """Yield how far it is, and return what each model heard, in their order.

    Raises
    ------
    DataError
        If a score is no finite number.
    """
    features = scorers[0].features
    ears = [_Ear(scorer, hours, features.step_s) for scorer in scorers]
    day: date | None = None
    for windows in windows_of([file.path for file in hours.newest], features):
        if windows and windows[0].begin.date() != day:
            day = windows[0].begin.date()
            yield f"hearing {day}"
        for ear in ears if windows else ():
            ear.push(windows)
    return [ear.flush() for ear in ears]


def learnt_files(hours: Hours) -> frozenset[str]:
    """Return the names of the files that were learnt from or calibrated on."""
    chosen = hours.chosen
    every = (*chosen.typical, *chosen.various, *chosen.calibration)
    return frozenset(file.path.name for hour in every for file in hour)
