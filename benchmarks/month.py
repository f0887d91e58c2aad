"""A simulated month at a station, twice: noise that rises, and a hydrophone that dies.

`make month` has a daemon hear some evening and noon hours of each day, retrains every ten
days as `kilokai retrain` does, and writes MONTH.md.  A person rejects each event: there
are no calls.  The first model goes on beside, as it would without retraining.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import torch

from acoio.clock import record_us
from acoio.filename import FileName
from acoio.simulate import Ocean
from acoio.simulate.hydrophone import Failing
from acoio.writer import encode_records, place, record_begins_us
from benchmarks.machine import processor
from daemon.config import Config, load_config
from daemon.drift.achieved import Achieved, Heard, achieved
from daemon.drift.book import heard_in
from daemon.drift.hours import HOUR_US
from daemon.drift.watch import FILE as DRIFT_FILE
from daemon.event_list import listed
from daemon.ledger import open_ledger
from daemon.models.chosen import chosen_model
from daemon.progress import Step
from daemon.retraining.course import Ended, retrain
from daemon.reviews import Verdict
from daemon.service import run
from daemon.stored import reading
from detector.checkpoint import load_model
from detector.drift import Drift, Reference, drift
from detector.events import EventTracker
from detector.ocean import TYPICAL
from detector.recordings import windows_of
from detector.score import Scorer
from detector.tally import Tally
from detector.values import iso

RESULTS: Final = Path(__file__).parent / "MONTH.md"
BEGIN: Final = datetime(2024, 6, 1, 4, tzinfo=UTC)  # 18 h in Honolulu on the last of May
SEED: Final = 11
EVENING_FILES, NOON_FILES = 15, 3  # of five minutes
NOON: Final = timedelta(hours=18)
KEPT_DAYS: Final = 12
RETRAIN_EVERY: Final = 10
PROMISED: Final = 2.0  # an hour: five hours of calibration can promise that
CASES: Final = {
    "rising noise": replace(
        TYPICAL, rise_db=((15.0, 12.0), (1000.0, 9.0), (10_000.0, 6.0)), gusts_db=0.5
    ),
    "a dying hydrophone": replace(TYPICAL, failing=Failing(healthy_days=12.0)),
}
_HEAD: Final = f"""# Measured by `make month`

{processor()}; others were at work beside it. Of each day an hour and a quarter of the evening
and a quarter of an hour of noon, in real files, through a real daemon; every ten days
`kilokai retrain`; {PROMISED:g} false alarms an hour are promised. There are no calls: each event
is a false alarm, and a person rejects it. *Moved* is the median over the bands of how many dB the
evening is louder than the calibration of the model that scores; the ratios are those of
docs/drift.md, of that evening alone; *first model* is what ocean-v1 raises without retraining.
"""
_COLUMNS: Final = (
    "| day | model | moved, dB | levels | scores | alarms an hour | first model | retraining |",
    "|---|---|---|---|---|---|---|---|",
)
_FILE: Final = timedelta(minutes=5)
_SETTINGS: Final = (
    f"detector.false_alarms_per_hour={PROMISED}",
    "bus.publish=tcp://127.0.0.1:0",
    "bus.replay=tcp://127.0.0.1:0",
    "metrics.listen=127.0.0.1:0",
    "drop.settle_s=0.1",
    "drop.rescan_s=0.1",
    "evidence.clips=false",
    "evidence.pictures=false",
    f"retrain.days={RETRAIN_EVERY}",
    "retrain.hours=4",
    "retrain.calibration_hours=6",
    "retrain.reference_days=3",
)


@dataclass(frozen=True)
class Day:
    """What a day was like: its drift from the model's calibration, and alarms."""

    number: int
    model: str
    drift: Drift | None
    alarms: Achieved | None
    first_model: Achieved | None
    outcome: str = ""


@dataclass
class Station:
    """A drop and a store in a folder, and the ocean that it listens to."""

    folder: Path
    ocean: Ocean
    first: Scorer = field(default_factory=lambda: _scorer("ocean-v1"))

    @property
    def config(self) -> Config:
        """How the daemon is set up."""
        paths = (f"drop.path={self.folder / 'drop'}", f"store.path={self.folder / 'store'}")
        return load_config(None, [*paths, *_SETTINGS], {})

    def write(self, day: int) -> list[Path]:
        """Write the files of a day, take those of long ago away, and return the new ones."""
        drop = self.config.drop.path
        drop.mkdir(parents=True, exist_ok=True)
        for path in sorted(drop.iterdir())[: -KEPT_DAYS * (EVENING_FILES + NOON_FILES)]:
            path.unlink()
        evening = BEGIN + timedelta(days=day)
        begins = [evening + k * _FILE for k in range(EVENING_FILES)]
        begins += [evening + NOON + k * _FILE for k in range(NOON_FILES)]
        return [self._file(drop, begin) for begin in begins]

    def _file(self, drop: Path, begin: datetime) -> Path:
        first, end = (self._record(at) for at in (begin, begin + _FILE))
        path = drop / str(FileName(begin))
        marks_us = record_begins_us(self.ocean.begin, first, end - first)
        sound = self.ocean.piece(first, end - first)
        place(path, encode_records(sound, begins_us=marks_us, first_number=first))
        return path

    def _record(self, at: datetime) -> int:
        return int(np.ceil((at - BEGIN) / timedelta(microseconds=1) / record_us()))

    def hear(self, day: int) -> Day:
        """Let the daemon hear a day, and reject what it found."""
        paths = self.write(day)
        if run(self.config, until_idle=True):
            raise RuntimeError(f"day {day}: the daemon left work undone")
        scorer = _scorer(str(chosen_model(self.config)))
        since = BEGIN + timedelta(days=day)
        hours = range(_hour(since) - 1, _hour(since) + 24)
        found = self._alarms(hours, scorer)
        self._reject()
        return Day(
            day + 1, scorer.model, self._drift(hours, scorer.reference), found, self._first(paths)
        )

    def _alarms(self, hours: range, scorer: Scorer) -> Achieved | None:
        whose = {"model": scorer.model, "threshold": scorer.threshold}
        with reading(self.config.store.path) as database:
            heard = [heard_in(database, hour, **whose) for hour in hours]  # type: ignore[arg-type]
        return achieved(heard, step_s=scorer.features.step_s)

    def _drift(self, hours: range, reference: Reference | None) -> Drift | None:
        """Return the drift of one day, by the counts that the daemon keeps."""
        path = self.config.store.path / DRIFT_FILE
        if reference is None or not path.exists():
            return None
        kept = json.loads(path.read_text("utf-8"))["hours"]
        wanted = [h for h in hours if h % 24 in (reference.hours_utc or range(24))]
        counts = [Tally.from_json(values) for hour, values in kept if hour in wanted]
        return drift(reference, sum(counts[1:], counts[0])) if counts else None

    def _reject(self) -> None:
        store, now = self.config.store.path, iso(datetime.now(UTC))
        text = json.dumps(Verdict("rejected", now).as_json())
        events = [e for e in listed(store) if e["status"] == "closed" and "verdict" not in e]
        with open_ledger(store) as ledger:
            rows = tuple((event["id"], now, text) for event in events)
            ledger.commit(Step(ledger.published, verdicts=rows), ledger.model or "")

    def _first(self, paths: list[Path]) -> Achieved | None:
        """Return the alarms of the model that the month began with."""
        tracker, events, heard = EventTracker(self.first.event_settings("first")), 0, 0
        for windows in windows_of(paths, self.first.features):
            scores = self.first.score(windows)
            heard += len(scores)
            events += sum(event.status == "open" for event in tracker.push(scores))
        return achieved([Heard(heard, events)], step_s=self.first.features.step_s)

    def retrain(self, day: int) -> str:
        """Retrain, and return how it ended in words."""
        lines = retrain(self.config, seed=day)
        while True:
            try:
                next(lines)
            except StopIteration as done:
                ended: Ended = done.value
                return f"{ended.outcome.replace('_', ' ')} {'; '.join(ended.reasons)}".strip()


def month(case: str, folder: Path, days: int) -> Iterator[Day]:
    """Yield each day of a month, retraining every ten days."""
    station = Station(folder, Ocean(SEED, BEGIN - timedelta(microseconds=620_000), CASES[case]))
    for number in range(days):
        day = station.hear(number)
        due = (number + 1) % RETRAIN_EVERY == 0
        yield replace(day, outcome=station.retrain(number)) if due else day


def _scorer(model: str) -> Scorer:
    return load_model(model, false_alarms_per_hour=PROMISED)


def _hour(when: datetime) -> int:
    return int(when.timestamp() * 1e6) // HOUR_US


def _line(day: Day) -> str:
    found = day.drift
    moved = [f"{np.median(found.moved_db):+.1f}"] if found else [""]
    ratios = [f"{change.ratio:.1f}" for change in (found.level, found.score)] if found else ["", ""]
    rates = [f"{rate.per_hour:.1f}" if rate else "" for rate in (day.alarms, day.first_model)]
    return " | ".join([f"| {day.number}", day.model, *moved, *ratios, *rates, f"{day.outcome} |"])


def _table(case: str, days: int) -> tuple[str, float]:
    torch.set_num_threads(1)
    begin_s = time.monotonic()
    lines = []
    with tempfile.TemporaryDirectory(prefix="kilokai-month-") as folder:
        for day in month(case, Path(folder), days):
            lines.append(_line(day))
            print(case, lines[-1], flush=True)
    return "\n".join(lines), time.monotonic() - begin_s


def main(days: int) -> None:
    """Print each day as it comes, and write the page."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(CASES), mp_context=context) as pool:
        tables = dict(zip(CASES, pool.map(_table, CASES, [days] * len(CASES)), strict=True))
    RESULTS.write_text(page(tables))


def page(tables: dict[str, tuple[str, float]]) -> str:
    """Return the page."""
    lines = [_HEAD]
    for case, (table, spent_s) in tables.items():
        lines += [f"## {case[0].upper()}{case[1:]}", "", *_COLUMNS, table, ""]
        lines += [f"{spent_s / 60:.0f} minutes.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main(int(sys.argv[1]))
