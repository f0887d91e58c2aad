"""The recipe of a model: sound in, train, calibrate, evaluate where the truth is known, freeze."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch

from acoio.errors import SetupError
from acoio.simulate import OceanSettings
from detector.calibration.calibrate import (
    PROMISED_PER_HOUR,
    Calibration,
    Point,
    calibrate,
    require_hours,
)
from detector.calibration.drift import reference_of
from detector.config import FeatureSettings
from detector.events import EventTracker
from detector.features.normalise import Normalisation, fit_normalisation
from detector.networks.methods import Discriminating, Method, NetworkSettings
from detector.scoring.checkpoint import is_model, write_model
from detector.scoring.match import match, within
from detector.scoring.score import Model, Scorer
from detector.training.data import levels_of
from detector.training.ocean import simulate, simulator, stretches
from detector.training.phases import TrainSettings
from detector.training.sources import SimulatedOcean, Source
from detector.training.train import Trainer

_OCEAN: Final = (
    "Trained on simulated ocean alone and calibrated on other simulated ocean without calls. "
    "It has never heard a real recording: at a station its rate of false alarms is what the "
    "station's own sound makes of it, until it is calibrated there."
)
_ARCHIVE: Final = (
    "Trained on hours of an archive and calibrated on evenings of other days, "
    "all chosen by the station's local time."
)
_UNCALIBRATED: Final = Calibration(0.0, math.inf, (Point(1.0, math.inf, 0.0, math.inf),))
_TEST_SHARE: Final = 0.5
_COUNTS: Final = ("found", "noticed", "calls")
STATE: Final = "training"  # in the model's folder, until the model is there


@dataclass(frozen=True)
class Recipe:
    """How a model is made, whatever of; `threads` are for training alone.

    `of_the_day` says whether its sound has a time of day: a simulated ocean has none.
    The network has the shape of that of `like`, if that is given, and starts from its
    weights if `warm`.
    """

    name: str
    training: TrainSettings
    features: FeatureSettings = field(default_factory=FeatureSettings)
    method: Method = "ratio"
    threads: int = 1
    of_the_day: bool = True
    promised_per_hour: float = PROMISED_PER_HOUR
    like: Model | None = None
    warm: bool = False

    @property
    def network(self) -> NetworkSettings:
        """The shape of the network."""
        if self.like:
            return self.like.network.settings
        return NetworkSettings(self.features.bands, self.features.columns, self.method)

    @property
    def start(self) -> Discriminating | None:
        """The network that training starts from, or None for a new one."""
        return self.like.network if self.like and self.warm else None


def train_ocean(
    out: Path, *, seed: int, hours: float, jobs: int, method: Method = "ratio"
) -> Iterator[str]:
    """Train a model on `hours` of simulated typical ocean, yielding how it goes.

    Raises
    ------
    SetupError
        If there is a model already, a training of something else was left in its folder,
        or the hours cannot promise a model one false alarm an hour.
    DataError
        If that is too little sound.
    """
    recipe = Recipe(out.name, _training(seed), method=method, threads=jobs, of_the_day=False)
    with simulator(jobs) as pool:
        ocean = SimulatedOcean(seed, hours, recipe.features, pool)
        draft = yield from cook(out, recipe, ocean)
        yield f"evaluating on {_TEST_SHARE * hours:g} h of other sound with calls"
        evaluation = _evaluate(ocean, draft)
    yield from _freeze(out, replace(draft, card={**draft.card, "evaluation": evaluation}))
    for snr_db, calls in evaluation["calls_by_snr_db"].items():
        yield f"{snr_db:>3} dB: found {calls['found']} of {calls['calls']} calls"


def train_archive(
    out: Path, source: Source, *, seed: int, threads: int, method: Method = "ratio"
) -> Iterator[str]:
    """Train a model on chosen hours, yielding how it goes; raises as `train_ocean`."""
    recipe = Recipe(out.name, _training(seed), method=method, threads=threads)
    draft = yield from cook(out, recipe, source)
    yield from _freeze(out, replace(draft, card={**draft.card, "description": _ARCHIVE}))


def cook(out: Path, recipe: Recipe, source: Source) -> Generator[str, None, Model]:
    """Yield how training goes, and return the calibrated model, not yet written.

    What was trained of it already in that folder is gone on with.
    """
    if is_model(out):
        raise SetupError(f"{out}: found a model there, wanted a new folder")
    require_hours(source.calibration_hours, rate_per_hour=recipe.promised_per_hour)
    out.mkdir(parents=True, exist_ok=True)
    yield "listening to typical sound"
    levels = levels_of(source.typical())
    normalisation = fit_normalisation(levels)
    typical = normalisation.of(levels)
    del levels
    yield f"{len(typical)} typical windows; listening to various sound"
    various = normalisation.of(levels_of(source.various()))
    yield f"{len(various)} various windows; training on {recipe.threads} threads"
    trainer = Trainer(recipe.network, typical, various, recipe.training, start=recipe.start)
    del typical, various
    yield from _trained(out / STATE, trainer, recipe.threads)
    yield "calibrating on other typical sound"
    draft = _draft(recipe, source, normalisation, trainer.network.cpu())
    del trainer  # and with it all windows that it learnt from
    scorer = Scorer(draft)
    scores = [scorer.score(windows) for windows in source.calibration()]
    calibration = calibrate(scores, source.judged)
    rate = calibration.points[0].false_alarms_per_hour
    yield f"calibrated on {calibration.hours:.1f} hours: {rate:g} false alarms an hour and above"
    if calibration.apart:
        yield f"{calibration.apart} events stood apart from typical sound, and were not counted"
    reference = reference_of(scores, of_the_day=recipe.of_the_day)
    return replace(draft, calibration=calibration, reference=reference)


def _training(seed: int) -> TrainSettings:
    return TrainSettings(seed=seed, roll=True, shift_bands=2)


def _trained(state: Path, trainer: Trainer, threads: int) -> Iterator[str]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)  # part of what a training that was left must agree with
    torch.set_flush_denormal(True)  # trains up to three times faster
    try:
        if state.exists():
            trainer.resume(state)
            yield "going on with a training that was left"
        for report in trainer.phases():
            yield str(report)
            trainer.save(state)
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)


def _freeze(out: Path, model: Model) -> Iterator[str]:
    written = write_model(out, model)
    (out / STATE).unlink(missing_ok=True)
    yield f"model {written.id} in {out}"


def _told(recipe: Recipe) -> dict[str, Any]:
    started = {"start": recipe.like.id} if recipe.like and recipe.warm else {}
    return asdict(recipe.training) | {"threads": recipe.threads} | started


def _draft(
    recipe: Recipe, source: Source, normalisation: Normalisation, network: Discriminating
) -> Model:
    return Model(
        id="draft",
        features=recipe.features,
        normalisation=normalisation,
        network=network,
        calibration=_UNCALIBRATED,
        card={
            "name": recipe.name,
            "description": _OCEAN,
            "method": f"gumiho network, {recipe.network.method}, docs/decisions/0003-training.md",
            "data": dict(source.about),
            "training": _told(recipe),
        },
    )


def _evaluate(ocean: SimulatedOcean, draft: Model) -> dict[str, Any]:
    rate = max(PROMISED_PER_HOUR, draft.calibration.points[0].false_alarms_per_hour)
    scorer = Scorer(draft, false_alarms_per_hour=rate)
    counts: dict[int, list[tuple[int, int, int]]] = {}
    false = other = 0
    hours = _TEST_SHARE * ocean.hours
    busy = OceanSettings(calls_per_hour=60.0)
    wanted = stretches(10 * ocean.seed + 4, hours, busy, ocean.features)
    for windows, truth in simulate(ocean.pool, wanted):
        scores = scorer.score(windows)
        tracker = EventTracker(scorer.event_settings("ocean"))
        events = [e for e in [*tracker.push(scores), *tracker.flush()] if e.status == "closed"]
        matched = match(events, within(truth, scores[0].begin, scores[-1].end))
        for snr_db, *numbers in matched.by_snr():
            counts.setdefault(snr_db, []).append((numbers[0], numbers[1], numbers[2]))
        false, other = false + len(matched.false), other + len(matched.other)
    return {
        "hours": hours,
        "false_alarms_per_hour": rate,
        "false_alarms": false,
        "events_on_ships_or_gear": other,
        "calls_by_snr_db": {
            f"{snr_db:+d}": dict(zip(_COUNTS, map(sum, zip(*rows, strict=True)), strict=True))
            for snr_db, rows in sorted(counts.items())
        },
    }
