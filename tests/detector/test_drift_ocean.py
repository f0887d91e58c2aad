"""The shipped model's reference: typical ocean has not drifted from it, a louder one has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector import load_model
from detector.calibration.drift import Drift, drift
from detector.training.ocean import TYPICAL, stretches, windows_and_truth
from detector.values import Score

SCORER = load_model("ocean-v1")
LONG_ENOUGH_H = 0.88  # the first minute gives no windows


@pytest.fixture(scope="module")
def typical() -> list[Score]:
    (stretch,) = stretches(4711, LONG_ENOUGH_H, TYPICAL, SCORER.features)
    return SCORER.score(windows_and_truth(stretch)[0])


def compared(scores: list[Score]) -> Drift:
    assert SCORER.reference is not None
    found = drift(SCORER.reference, SCORER.reference.tally(scores))
    assert found is not None
    return found


def test_typical_ocean_has_not_drifted(typical: list[Score]) -> None:
    found = compared(typical)
    assert (found.score.ratio < 1, found.level.ratio < 1) == (True, True)


def test_3_db_more_noise_is_a_drift_of_the_levels(typical: list[Score]) -> None:
    louder = [replace(s, background_db=s.background_db + np.float32(3.0)) for s in typical]
    assert compared(louder).level.ratio > 1


def test_a_simulation_has_no_hours_of_the_day_so_all_sound_is_compared() -> None:
    assert SCORER.reference is not None
    assert SCORER.reference.hours_utc == ()
