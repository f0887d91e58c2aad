"""A model is made whole, or not begun; what was left is gone on with on the same data alone."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acoio.errors import SetupError
from detector.calibration.apart import Judged
from detector.calibration.calibrate import Calibration, Point
from detector.networks.methods import NetworkSettings
from detector.scoring.checkpoint import load_model, read_model, write_model
from detector.scoring.score import Model
from detector.training import recipe
from detector.training.phases import TrainSettings
from detector.training.recipe import Recipe, cook, train_archive, train_ocean
from detector.training.sources import Windows

from . import models
from .sounds import SMALL, window

TRAINING = TrainSettings(batch=32, phase1_steps=20, phase2_steps=20, roll=True)
RECIPE = Recipe("tiny", TRAINING, SMALL)


@dataclass(frozen=True)
class Noise:
    """Noise, and tones in half of what is various; a window lasts 20 s and none overlap."""

    seed: int = 1
    calibration_hours: float = 12.0
    judged: Judged = field(default_factory=Judged)

    @property
    def about(self) -> Mapping[str, Any]:
        return {"noise": self.seed}

    def typical(self) -> Windows:
        return _windows(models.typical(400, seed=self.seed))

    def various(self) -> Windows:
        return _windows(models.various(200, seed=self.seed + 1))

    def calibration(self) -> Windows:
        return _windows(models.typical(round(180 * self.calibration_hours), seed=self.seed + 2))


def _windows(levels: np.ndarray[Any, np.dtype[np.float32]]) -> Windows:
    made = [window(x, 20.0 * k) for k, x in enumerate(levels)]
    yield [replace(w, end=w.begin + timedelta(seconds=20)) for w in made]


def cooked(out: Path, source: Noise, made: Recipe = RECIPE) -> str:
    """Return the id of a model that is made to the end."""
    return write_model(out, _told(cook(out, made, source))[1]).id


def _told(lines: Generator[str, None, Model]) -> tuple[list[str], Model]:
    told: list[str] = []
    while True:
        try:
            told.append(next(lines))
        except StopIteration as done:
            return told, done.value


def left(out: Path, source: Noise, made: Recipe = RECIPE) -> None:
    """Leave a training after its first phase was written."""
    lines = cook(out, made, source)
    next(line for line in lines if line.startswith("phase 1"))
    next(lines)
    lines.close()
    assert (out / "training").exists()


@pytest.fixture(scope="module", autouse=True)
def _tiny() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        small = partial(NetworkSettings, latent=4, channels=(4, 8), parts=3)
        patched.setattr(recipe, "NetworkSettings", lambda b, t, method: small(b, t, method))
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "tiny"
    cooked(out, Noise())
    return out


def test_a_model_loads_at_the_rate_that_is_usual(whole: Path) -> None:
    scorer = load_model(whole)
    model = read_model(whole)
    assert model.calibration.hours == pytest.approx(12.0)
    assert scorer.threshold == model.calibration.threshold(1.0)
    assert model.card["data"] == {"noise": 1}


def test_a_training_that_was_left_comes_to_the_same_model(whole: Path, tmp_path: Path) -> None:
    left(tmp_path / "tiny", Noise())
    told, model = _told(cook(tmp_path / "tiny", RECIPE, Noise()))
    assert "going on with a training that was left" in told
    phases = [line[:7] for line in told if line.startswith("phase")]
    assert phases == ["phase 1", "phase 2", "phase 3"]  # the mixture is fitted again, no step taken
    assert write_model(tmp_path / "tiny", model).id == read_model(whole).id


def test_a_training_of_other_data_threads_or_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    left(tmp_path, Noise())
    with pytest.raises(SetupError, match=r"found a training of {'windows': '\w+'}, wanted"):
        cooked(tmp_path, Noise(seed=2))
    with pytest.raises(
        SetupError, match=r"found a training of {'threads': 1}, wanted {'threads': 2"
    ):
        cooked(tmp_path, Noise(), replace(RECIPE, threads=2))
    with pytest.raises(SetupError, match=r"found a training of {'settings': "):
        cooked(tmp_path, Noise(), replace(RECIPE, training=replace(TRAINING, rho=0.5)))
    assert not (tmp_path / "card.json").exists()


def test_a_model_that_exists_is_not_made_again(whole: Path) -> None:
    with pytest.raises(SetupError, match="found a model there, wanted a new folder"):
        cooked(whole, Noise())


def test_hours_that_promise_too_little_are_refused_before_any_work(tmp_path: Path) -> None:
    for lines in (
        cook(tmp_path / "new", RECIPE, Noise(calibration_hours=8.0)),
        train_archive(tmp_path / "new", Noise(calibration_hours=8.0), seed=1, threads=1),
    ):
        with pytest.raises(SetupError, match="calibration hours: found 8, wanted at least 10"):
            next(lines)
    with pytest.raises(SetupError, match="simulated hours: found 500, wanted at most 400"):
        next(train_ocean(tmp_path / "new", seed=1, hours=500, jobs=1))
    assert not (tmp_path / "new").exists()


def test_an_archive_makes_a_model_and_leaves_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "_training", lambda seed: replace(TRAINING, seed=seed))
    monkeypatch.setattr(recipe, "Recipe", partial(Recipe, features=SMALL))
    lines = list(train_archive(tmp_path / "mine", Noise(), seed=3, threads=1))
    model = read_model(tmp_path / "mine")
    assert lines[-1] == f"model {model.id} in {tmp_path / 'mine'}"
    assert model.card["description"].startswith("Trained on hours of an archive")
    assert model.card["training"]["seed"] == 3
    assert not (tmp_path / "mine" / "training").exists()


def test_the_recipe_of_the_pretrained_model_stays_what_it_was() -> None:
    card = read_model("ocean-v1").card
    assert {**vars(recipe._training(1)), "threads": 2} == card["training"]
    assert card["evaluation"]["false_alarms_per_hour"] == 1.0


def test_an_ocean_is_evaluated_at_a_rate_that_its_model_promises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recipe, "simulate", lambda *_: iter(()))
    monkeypatch.setattr(recipe, "stretches", lambda *_: [])
    ocean = type("Ocean", (), {"hours": 1.0, "seed": 1, "features": SMALL, "pool": None})()
    for lowest, rate in ((0.5, 1.0), (2.0, 2.0)):
        points = tuple(Point(r, 5 - r, 0.0, 9.0) for r in (lowest, 4.0))
        draft = replace(read_model("ocean-v1"), calibration=Calibration(24.0, 0.0, points))
        assert recipe._evaluate(ocean, draft)["false_alarms_per_hour"] == rate
