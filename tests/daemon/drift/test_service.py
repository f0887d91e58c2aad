"""A daemon tells drift in its status, and goes on with its counts after a restart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from daemon.config import Config
from daemon.drift.compare import FILE
from daemon.health.status import status
from daemon.service.run import run
from detector.calibration.drift import Reference, reference_of
from detector.calibration.tally import Tally
from detector.values import Score
from tests.daemon.fakes import LoudnessScorer
from tests.daemon.sea import Sea
from tests.detector.drifting import hour


def _reference() -> Reference:
    """Return one of 96 bands, far more quiet than the sea."""

    def wide(scores: Sequence[Score]) -> list[Score]:
        for score in scores:
            object.__setattr__(score, "background_db", np.repeat(score.background_db, 8) - 40)
        return list(scores)

    found = reference_of([wide(hour(k)) for k in range(4)], of_the_day=False)
    assert found is not None
    return found


def _counted(store: Path) -> int:
    kept = json.loads((store / FILE).read_text("utf-8"))["hours"]
    return sum(Tally.from_json(counts).windows for _, counts in kept)


def test_a_run_tells_drift_and_the_next_one_goes_on_with_its_counts(
    config: Config, sea: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = LoudnessScorer()
    scorer.reference = _reference()
    monkeypatch.setattr("daemon.service.foundations.load_model", lambda *_, **__: scorer)
    monkeypatch.setattr("detector.calibration.drift.FEWEST_WINDOWS", 30)
    store, counted = config.store.path, []
    for name, data in islice(sea.cut(), 3):
        (config.drop.path / name).write_bytes(data)
        run(config, until_idle=True)
        found = status(store)
        counted.append(_counted(store))
        assert found["drift"]["windows"] == counted[-1]
        assert found["drift"]["level"]["ratio"] > 1
        assert found["alarms"]["promised_per_hour"] == config.detector.false_alarms_per_hour
    assert counted[0] < counted[1] < counted[2]  # each run counts on
