"""The champion is compared at the threshold by which it would keep the promise now."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from daemon.retraining.measuring import _at_promise
from detector.calibration.apart import Judged
from detector.calibration.calibrate import calibrate
from detector.values import Score
from tests.detector import models
from tests.detector.sounds import score

RATE = 2.0


def _fair(scores: list[Score], judged: Judged) -> Any:
    """Return the champion as it is compared where it gives these scores to what is typical."""
    source = SimpleNamespace(calibration=lambda: [[]], judged=judged)
    contest: Any = SimpleNamespace(source=source, champion=models.model(), rate_per_hour=RATE)
    return _at_promise(contest, SimpleNamespace(score=lambda _: scores))  # type: ignore[arg-type]


@pytest.mark.parametrize("louder", [0.2, 1.0, 5.0])
def test_whether_it_floods_or_is_deaf_its_promise_is_kept(louder: float) -> None:
    values = louder * np.random.default_rng(1).exponential(size=8 * 3600)
    scores = [score(float(k), float(v)) for k, v in enumerate(values)]
    fair = _fair(scores, Judged())
    assert fair.threshold == calibrate([scores]).threshold(RATE)
    assert fair.threshold == pytest.approx(louder * 7.5, rel=0.2)  # ln 1800
    rejected = [(s.begin, s.end) for s in scores[::600]]
    assert _fair(scores, Judged(rejected, 1.0)).threshold >= fair.threshold


def test_where_no_threshold_keeps_it_there_is_none_to_compare_at() -> None:
    assert _fair([score(float(k), 1.0) for k in range(8 * 3600)], Judged()) is None
