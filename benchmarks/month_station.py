"""A simulated station for `benchmarks.month`: it records, hears and retrains."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from acoio.clock import record_us
from acoio.filename import FileName, begin_of_name
from acoio.output import write_output
from acoio.simulate import Ocean, OceanSettings
from acoio.writer import encode_records, record_begins_us
from daemon.config import Config, load_config
from daemon.ledger.ledger import open_ledger
from daemon.models.chosen import chosen_model
from daemon.progress import FileProgress, Step
from daemon.retraining.course import Ended, retrain
from detector import load_model
from detector.calibration.drift import drift
from detector.events import EventTracker
from detector.scoring.match import match
from detector.scoring.score import Scorer
from detector.training.ocean import TYPICAL
from detector.training.recordings import windows_of
from detector.values import Event, Window, event_json

PROMISED_PER_HOUR: Final = 2.0
EVENING_FILES, NOON_FILES = 11, 5
DAYS_HEARD: Final = 24  # by a retraining
APART: Final = 2  # days: every other one is recorded
_BEGIN: Final = datetime(2024, 7, 1, 4, tzinfo=UTC)  # 18 h in Honolulu on 30 June
_NOON: Final = timedelta(hours=18)
_FILE: Final = timedelta(minutes=5)
_DAY_S: Final = 86_400.0
_SETS: Final = {
    "detector.false_alarms_per_hour": PROMISED_PER_HOUR,
    "retrain.days": DAYS_HEARD,
    "retrain.hours": 2.4,
    "retrain.calibration_hours": 5.0,
    "retrain.reference_days": 4,
}


@dataclass(frozen=True)
class Figures:
    """What a model made of an evening: its drift from the calibration, and its alarms.

    `false` of them lie where no ship passes.
    """

    model: str
    level: float
    score: float
    louder_db: float
    alarms: int
    false: int
    hours: float


class Station:
    """A drop and a store, filled day by day with an ocean's evenings and noons."""

    def __init__(self, folder: Path, ocean: OceanSettings, *, seed: int, first_day: int) -> None:
        self.drop, self.store = folder / "drop", folder / "store"
        self.drop.mkdir(parents=True, exist_ok=True)
        sets = {"drop.path": self.drop, "store.path": self.store, **_SETS}
        self.config: Config = load_config(None, [f"{k}={v}" for k, v in sets.items()], {})
        self._begin = _BEGIN + timedelta(days=first_day)
        self._first_day, self._seed = first_day, seed
        self._evening, self._noon = (
            Ocean(seed + k, self._begin, settings) for k, settings in enumerate(_times(ocean))
        )

    @property
    def scorer(self) -> Scorer:
        """The champion."""
        return load_model(chosen_model(self.config), false_alarms_per_hour=PROMISED_PER_HOUR)

    def take_over(self, former: Station) -> None:
        """Have the recordings of a station, and have heard them."""
        files = sorted(former.drop.iterdir())
        for path in files:
            os.link(path, self.drop / path.name)
        self._keep(files, ())

    def record(self, day: int) -> None:
        """Write the files of a day."""
        evening, noon = self._files(day)
        for ocean, paths in ((self._evening, evening), (self._noon, noon)):
            for path in paths:
                self._write(ocean, path)

    def hear(self, day: int, scorers: Sequence[Scorer]) -> list[Figures]:
        """Hear a day with each scorer, and keep what the first one found."""
        evening, noon = self._files(day)
        ships = self._evening.truth((day - self._first_day + 1) * _DAY_S)
        figures, found = [], []
        for number, scorer in enumerate(scorers):
            heard, events = _heard(scorer, evening)
            figures.append(replace(heard, false=len(match(events, ships).false)))
            if not number:
                found = [*events, *_heard(scorer, noon)[1]]
        self._keep([*evening, *noon], found)
        return figures

    def retrain(self, seed: int) -> Ended:
        """Run a retraining to its end."""
        lines = retrain(self.config, seed=seed)
        while True:
            try:
                print(f"{self.store.parent.name}: {next(lines)}", flush=True)
            except StopIteration as done:
                ended: Ended = done.value
                return ended

    def _files(self, day: int) -> tuple[list[Path], list[Path]]:
        """Return where the files of a day's evening and noon are."""
        evening = self._begin + timedelta(days=day - self._first_day)
        begins = (evening, EVENING_FILES), (evening + _NOON, NOON_FILES)
        first, second = (
            [self.drop / str(FileName(begin + k * _FILE)) for k in range(count)]
            for begin, count in begins
        )
        return first, second

    def _write(self, ocean: Ocean, path: Path) -> None:
        begin = begin_of_name(path)
        first, end = (self._record_at(when) for when in (begin, begin + _FILE))
        marks_us = record_begins_us(self._begin, first, end - first)
        samples = ocean.piece(first, end - first)
        write_output(path, encode_records(samples, begins_us=marks_us, first_number=first))

    def _record_at(self, when: datetime) -> int:
        return math.ceil((when - self._begin).total_seconds() * 1e6 / record_us())

    def _keep(self, paths: Sequence[Path], events: Sequence[Event]) -> None:
        """Let the ledger say that a daemon heard files to their end, and found events."""
        files = tuple(FileProgress(p.name, size=p.stat().st_size, state="done") for p in paths)
        found: tuple[dict[str, Any], ...] = tuple(event_json(event) for event in events)
        with open_ledger(self.store) as ledger:
            ledger.commit(Step(ledger.published, files=files, events=found), "month")


def _times(ocean: OceanSettings) -> tuple[OceanSettings, OceanSettings]:
    """Return the ocean in the evening, without visitors, and at noon, with calls and gear."""
    names = ("calls_per_hour", "gear_per_hour", "dc_steps_per_hour")
    return replace(ocean, **{name: getattr(TYPICAL, name) for name in names}), ocean


def _heard(scorer: Scorer, paths: Sequence[Path]) -> tuple[Figures, list[Event]]:
    windows: list[Window] = [w for part in windows_of(paths, scorer.features) for w in part]
    scores = scorer.score(windows)
    tracker = EventTracker(scorer.event_settings("month"))
    every = [*tracker.push(scores), *tracker.flush()]
    events = [event for event in every if event.status == "closed"]
    found = drift(scorer.reference, scorer.reference.tally(scores)) if scorer.reference else None
    level, score, louder_db = (
        (found.level.ratio, found.score.ratio, float(found.moved_db.mean()))
        if found
        else (math.nan,) * 3
    )
    hours = len(scores) * scorer.features.step_s / 3600
    return Figures(scorer.model, level, score, louder_db, len(events), len(events), hours), events
