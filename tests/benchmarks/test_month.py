"""The month in small, by its levels: a sea grows louder or calm, a dying hydrophone is neither."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from acoio.clock import record_us
from acoio.simulate import DEMO_BEGIN, Ocean
from acoio.sound import Sound
from acoio.writer import record_begins_us
from benchmarks.month import MONTHS
from daemon.retraining.alive import ailments, health_of
from detector.calibration.drift import level_distance
from detector.calibration.tally import Tally, tally
from detector.features.windows import RollingFeatures
from tests.daemon.fakes import LoudnessScorer

_RECORDS = 64 * 22  # four minutes


def _heard(ocean: Ocean, day: int) -> Tally:
    scorer = LoudnessScorer()
    first = round(timedelta(days=day) / timedelta(microseconds=1) / record_us())
    marks_us = record_begins_us(ocean.begin, first, _RECORDS)
    sound = Sound(ocean.piece(first, _RECORDS), scorer.features.rate_hz, marks_us)
    return tally(scorer.score(RollingFeatures(scorer.features).push(sound)), np.empty(0))


@pytest.fixture(scope="module", params=MONTHS)
def month(request: pytest.FixtureRequest) -> tuple[str, Tally, Tally, Tally]:
    ocean = Ocean(11, DEMO_BEGIN, MONTHS[request.param])
    return request.param, *(_heard(ocean, day) for day in (0, 20, 29))


def test_all_are_seen_as_drift_of_the_levels(month: tuple[str, Tally, Tally, Tally]) -> None:
    _, first, _, last = month
    assert level_distance(last, first) > 3.0


def test_only_the_dying_hydrophone_is_told_as_such(
    month: tuple[str, Tally, Tally, Tally],
) -> None:
    case, first, twentieth, last = month
    dying = case == "dying"
    for day, heard in ((20, twentieth), (29, last)):
        found = health_of(first, heard, LoudnessScorer().features.band_edges_hz)
        assert bool(list(ailments(found, f"on day {day}"))) == dying
