"""A station in small: white noise of some evenings, a tiny champion, a ledger that knows it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from acoio import ACOio
from acoio.clock import record_us, to_us
from acoio.filename import FileName
from acoio.header import RECORD_SAMPLES
from acoio.writer import encode_records, record_begins_us
from daemon.config import Config, load_config
from daemon.ledger.ledger import open_ledger
from daemon.progress import FileProgress, Step
from daemon.retraining import course, trials
from daemon.retraining.figures import Figures
from detector.scoring.checkpoint import write_model
from detector.training.choose import Choice, choose
from detector.training.phases import TrainSettings
from detector.training.recipe import Recipe, cook
from detector.training.sources import ChosenHours
from tests.daemon.retraining.test_acceptance import WELL
from tests.detector import models
from tests.detector.sounds import SMALL

T = TypeVar("T")
EVENING: Final = datetime(2024, 6, 3, 4, tzinfo=UTC)  # 18 h in Honolulu on 2 June
NOON: Final = EVENING - timedelta(hours=6)
DAYS: Final = 4
SECONDS: Final = 240
FILES: Final = 3  # an hour
LISTENING, TRAINING_ON, MEASURING = 3, 7, 14  # lines that have been said by then
REGISTERED: Final = "registered"  # and not the champion yet
_DRIVER: Final = "tests.daemon.retraining.driver"
RATE: Final = 20.0  # false alarms an hour: half an hour of sound can promise it
CHOICE: Final = Choice(typical_hours=0.19, various_hours=0.1, calibration_hours=0.58)
TRAINING: Final = TrainSettings(batch=32, phase1_steps=5, phase2_steps=5)


def write_days(drop: Path, *, rms: float = 800.0, first: int = 0) -> None:
    """Write a quarter of an hour of each evening and of each noon."""
    for day in range(first, first + DAYS):
        for hour in (NOON, EVENING):
            for part in range(FILES):
                write_file(drop, hour + timedelta(days=day, minutes=5 * part), rms=rms)


def write_file(drop: Path, begin: datetime, *, rms: float = 800.0) -> Path:
    """Write a file of white noise of its own, and return it."""
    records = round(SECONDS * 1e6 / record_us())
    rng = np.random.default_rng(to_us(begin) // 60_000_000)
    noise = rng.standard_normal(records * RECORD_SAMPLES, dtype=np.float32)
    samples = np.rint(rms * noise).astype(np.int32)
    path = drop / str(FileName(begin))
    marks_us = record_begins_us(begin, 0, records)
    path.write_bytes(encode_records(samples, begins_us=marks_us, first_number=1))
    return path


def make_champion(folder: Path, drop: Path) -> None:
    """Write a model that hardly learnt, but was calibrated on the sound of a drop."""
    chosen = choose(ACOio(drop).coverage().files, CHOICE, seed=7)
    recipe = Recipe("old", TRAINING, SMALL, promised_per_hour=RATE, like=models.model())
    write_model(folder, last(cook(folder, recipe, ChosenHours(chosen, CHOICE, SMALL))))


def hear(
    store: Path,
    drop: Path,
    *,
    events: Iterable[Mapping[str, Any]] = (),
    verdicts: Iterable[tuple[str, str, str]] = (),
) -> None:
    """Let a ledger say that a daemon has heard every file of a drop, and found events."""
    files = tuple(
        FileProgress(path.name, size=path.stat().st_size, state="done")
        for path in sorted(drop.iterdir())
    )
    with open_ledger(store) as ledger:
        step = Step(files=files, events=tuple(events), verdicts=tuple(verdicts))
        ledger.commit(step, "old")


def config_of(drop: Path, store: Path, champion: Path, *more: str) -> Config:
    """Return the configuration of the small station."""
    sets = [
        f"drop.path={drop}",
        f"store.path={store}",
        f"detector.model={champion}",
        f"detector.false_alarms_per_hour={RATE}",
        f"retrain.hours={CHOICE.typical_hours}",
        f"retrain.calibration_hours={CHOICE.calibration_hours}",
        "retrain.reference_days=1",
        *more,
    ]
    return load_config(None, sets, {})


def make_quick(patch: Any) -> None:
    """Let a retraining take few steps and few calls; `patch` sets attributes."""
    patch.setattr(course, "_WARM", TRAINING)
    patch.setattr(course, "_FRESH", TRAINING)
    patch.setattr(course, "_CLIPS_EACH", 2)
    patch.setattr(trials, "_CLIPS_EACH", 2)


def last(lines: Generator[str, None, T]) -> T:
    """Return what comes of it, once all of its lines were said."""
    while True:
        try:
            next(lines)
        except StopIteration as done:
            found: T = done.value
            return found


def quickly(*_: object) -> Generator[str, None, Figures]:
    """Find a candidate well without hearing anything."""
    yield "as measured before"
    return WELL


def killed_after(lines: int | str, drop: Path, store: Path, champion: Path) -> None:
    """Retrain in a process that kills itself (-9) once it has said so many lines.

    Or, told `REGISTERED`, between that and the candidate's becoming champion.
    """
    command = [sys.executable, "-m", _DRIVER, str(drop), str(store), str(champion), str(lines)]
    code = subprocess.run(command, check=False).returncode
    assert code == -signal.SIGKILL, f"found exit {code}, wanted that of kill -9"
