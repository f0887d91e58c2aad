"""The recipe of the pretrained model: simulate, train, calibrate, evaluate, freeze."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from acoio.errors import SetupError
from acoio.simulate import OceanSettings
from detector.calibrate import Calibration, Point, calibrate
from detector.checkpoint import write_model
from detector.config import FeatureSettings
from detector.events import EventTracker
from detector.match import match, within
from detector.methods import NetworkSettings
from detector.normalise import Normalisation, fit_normalisation
from detector.ocean import TYPICAL, VARIOUS, simulate, simulator, stretches
from detector.phases import TrainSettings
from detector.score import Model, Scorer
from detector.train import Trainer
from detector.values import Score, Window

_DESCRIPTION: Final = (
    "Trained on simulated ocean alone and calibrated on other simulated ocean without calls. "
    "It has never heard a real recording: at a station its rate of false alarms is what the "
    "station's own sound makes of it, until it is calibrated there."
)
_UNCALIBRATED: Final = Calibration(0.0, math.inf, (Point(1.0, math.inf, 0.0, math.inf),))
_VARIOUS_SHARE: Final = 0.75
_CALIBRATION_SHARE: Final = 2.5  # ten alarms at one an hour want ten hours, twice is better
_TEST_SHARE: Final = 0.5
_COUNTS: Final = ("found", "noticed", "calls")


@dataclass(frozen=True)
class Recipe:
    """What goes into a model of simulated ocean."""

    name: str
    seed: int
    hours: float
    jobs: int
    features: FeatureSettings
    training: TrainSettings


def train_ocean(out: Path, *, seed: int, hours: float, jobs: int) -> Iterator[str]:
    """Train a model on `hours` of simulated typical ocean, yielding how it goes.

    Raises
    ------
    SetupError
        If the folder is there already.
    DataError
        If that is too little sound.
    """
    if out.exists():
        raise SetupError(f"{out}: found something there, wanted a new folder")
    recipe = Recipe(out.name, seed, hours, jobs, FeatureSettings(), TrainSettings(seed=seed))
    with simulator(jobs) as pool:
        yield from _cook(out, recipe, pool)


def _cook(out: Path, recipe: Recipe, pool: ProcessPoolExecutor) -> Iterator[str]:
    hours = recipe.hours
    yield f"simulating {hours:g} h of typical and {_VARIOUS_SHARE * hours:g} h of various sound"
    typical = _windows(recipe, pool, 1, hours, TYPICAL)
    normalisation = fit_normalisation(typical)
    various = _normalised(_windows(recipe, pool, 2, _VARIOUS_SHARE * hours, VARIOUS), normalisation)
    torch.set_num_threads(recipe.jobs)
    torch.set_flush_denormal(True)  # trains up to three times faster
    shape = NetworkSettings(recipe.features.bands, recipe.features.columns)
    trainer = Trainer(shape, _normalised(typical, normalisation), various, recipe.training)
    for report in trainer.phases():
        yield str(report)
    torch.set_flush_denormal(False)
    torch.set_num_threads(1)
    yield f"calibrating on {_CALIBRATION_SHARE * hours:g} h of other typical sound"
    draft = _draft(recipe, normalisation, trainer)
    draft = replace(draft, calibration=calibrate(_scores(recipe, pool, draft)))
    yield f"evaluating on {_TEST_SHARE * hours:g} h of other sound with calls"
    evaluation = _evaluate(recipe, pool, draft)
    model = write_model(out, replace(draft, card={**draft.card, "evaluation": evaluation}))
    for snr_db, calls in evaluation["calls_by_snr_db"].items():
        yield f"{snr_db:>3} dB: found {calls['found']} of {calls['calls']} calls"
    yield f"model {model.id} in {out}"


def _windows(
    recipe: Recipe, pool: ProcessPoolExecutor, part: int, hours: float, ocean: OceanSettings
) -> list[Window]:
    wanted = stretches(10 * recipe.seed + part, hours, ocean, recipe.features)
    return [window for windows, _ in simulate(pool, wanted) for window in windows]


def _normalised(windows: Sequence[Window], normalisation: Normalisation) -> NDArray[np.float32]:
    return np.concatenate(
        [normalisation(windows[k : k + 4096]) for k in range(0, len(windows), 4096)]
    )


def _draft(recipe: Recipe, normalisation: Normalisation, trainer: Trainer) -> Model:
    return Model(
        id="draft",
        features=recipe.features,
        normalisation=normalisation,
        network=trainer.network,
        calibration=_UNCALIBRATED,
        card={
            "name": recipe.name,
            "description": _DESCRIPTION,
            "method": "gumiho network in three phases, docs/decisions/0003-training.md",
            "data": {"simulated_hours": recipe.hours, "seed": recipe.seed, "jobs": recipe.jobs},
            "training": asdict(recipe.training),
        },
    )


def _scores(recipe: Recipe, pool: ProcessPoolExecutor, draft: Model) -> list[list[Score]]:
    scorer = Scorer(draft)
    hours = _CALIBRATION_SHARE * recipe.hours
    wanted = stretches(10 * recipe.seed + 3, hours, TYPICAL, recipe.features)
    return [scorer.score(windows) for windows, _ in simulate(pool, wanted)]


def _evaluate(recipe: Recipe, pool: ProcessPoolExecutor, draft: Model) -> dict[str, Any]:
    scorer = Scorer(draft)
    counts: dict[int, list[tuple[int, int, int]]] = {}
    false = other = 0
    hours = _TEST_SHARE * recipe.hours
    wanted = stretches(
        10 * recipe.seed + 4, hours, OceanSettings(calls_per_hour=60.0), recipe.features
    )
    for windows, truth in simulate(pool, wanted):
        scores = scorer.score(windows)
        tracker = EventTracker(scorer.event_settings("ocean"))
        events = [e for e in [*tracker.push(scores), *tracker.flush()] if e.status == "closed"]
        matched = match(events, within(truth, scores[0].begin, scores[-1].end))
        for snr_db, *numbers in matched.by_snr():
            counts.setdefault(snr_db, []).append((numbers[0], numbers[1], numbers[2]))
        false, other = false + len(matched.false), other + len(matched.other)
    return {
        "hours": hours,
        "false_alarms_per_hour": 1.0,
        "false_alarms": false,
        "events_on_ships_or_gear": other,
        "calls_by_snr_db": {
            f"{snr_db:+d}": dict(zip(_COUNTS, map(sum, zip(*rows, strict=True)), strict=True))
            for snr_db, rows in sorted(counts.items())
        },
    }
