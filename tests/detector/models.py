"""A tiny trained model for tests, made in seconds."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.calibration.calibrate import Calibration, Point
from detector.features.normalise import Normalisation
from detector.networks.methods import NetworkSettings
from detector.scoring.score import Model
from detector.training.phases import TrainSettings
from detector.training.train import Trainer

from .sounds import SMALL

SHAPE = NetworkSettings(SMALL.bands, SMALL.columns, latent=4, channels=(4, 8), parts=3)
TRAINING = TrainSettings(batch=64, phase1_steps=150, phase2_steps=150)


def typical(count: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Return noise of unit variance, (n, F, T)."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, SMALL.bands, SMALL.columns)).astype(np.float32)


def various(count: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Return the same with a tone of one band in half of the windows."""
    generator = np.random.default_rng(seed + 1)
    windows = typical(count, seed=seed)
    for k in range(0, count, 2):
        band, first = generator.integers(SMALL.bands), generator.integers(SMALL.columns - 4)
        windows[k, band, first : first + 4] += generator.uniform(2, 6)
    return windows


@cache
def trained(seed: int = 1) -> Trainer:
    """Return a trainer that has been through all its phases."""
    settings = TrainSettings(**{**vars(TRAINING), "seed": seed})
    trainer = Trainer(SHAPE, typical(2000), various(2000, seed=5), settings)
    list(trainer.phases())
    return trainer


@cache
def model() -> Model:
    """Return the tiny model as it would be frozen."""
    trainer = trained()
    ones = np.ones(SMALL.bands, np.float32)
    return Model(
        id="tiny",
        features=SMALL,
        normalisation=Normalisation(ones, 0.3 * ones, ones),
        network=trainer.network.eval(),
        calibration=Calibration(24.0, 2.0, (Point(0.5, 9.0, 0.1, 1), Point(2.0, 5.0, 1, 3))),
        card={"name": "tiny", "description": "for tests"},
    )
