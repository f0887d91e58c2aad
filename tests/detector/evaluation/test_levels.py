import math
from dataclasses import replace

import numpy as np
import pytest

from acoio.errors import SetupError
from detector.calibration.alarm_rates import threshold_at_rate
from detector.evaluation import Scored, scored
from detector.evaluation.levels import alarm_curve, levels, own_levels

from .pieces import excess, piece, sea


@pytest.fixture(scope="module")
def typical() -> list[Scored]:
    return [scored(piece(sea(3600, seed=k), name=f"{k}"), excess) for k in range(11)]


def test_thresholds_are_those_of_the_alarm_rates_and_a_rate_untold_says_why(
    typical: list[Scored],
) -> None:
    whole = [stretch for one in typical for stretch in one.stretches(step_s=1.0)]
    tenth, one, ten = levels(typical, step_s=1.0, seed=1)
    assert tenth.threshold is None
    assert "wanted 100 for 0.1 an hour" in tenth.why
    for level in (one, ten):
        at = threshold_at_rate(whole, window_s=2.048, rate_per_hour=level.rate_per_hour)
        assert (level.threshold, level.alarms) == (at.threshold, at.alarms)
        assert level.drawn.min() <= at.threshold <= level.drawn.max()


def test_the_curve_of_alarms_falls_with_the_rate(typical: list[Scored]) -> None:
    rates, thresholds = alarm_curve(typical, step_s=1.0)
    assert len(rates) > 10
    assert rates[0] >= 0.9
    assert (thresholds[1:] <= thresholds[:-1]).all()


def test_a_model_that_refuses_a_rate_is_heard() -> None:
    def threshold(rate: float) -> float:
        if rate < 1:
            raise SetupError("not calibrated")
        return -math.log(rate)

    found = own_levels(threshold)
    assert [(level.rate_per_hour, level.why) for level in found] == [
        (0.1, "not calibrated"), (1.0, ""), (10.0, ""),
    ]  # fmt: skip


def test_alarms_that_all_lie_in_one_hour_may_be_drawn_none_at_all() -> None:
    hours = [scored(piece(sea(3600, seed=k), name=f"{k}"), excess) for k in range(11)]
    silent = [replace(one, scores=np.zeros_like(one.scores)) for one in hours[1:]]
    level = levels([hours[0], *silent], step_s=1.0, seed=1)[1]
    assert level.threshold is not None
    assert np.isfinite(level.drawn).all()
