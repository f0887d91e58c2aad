"""Drift is told, goes on after a restart, and begins anew for another model."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from daemon.drift.compare import FILE, DriftWatch
from daemon.metrics import Metrics
from detector.calibration.drift import Reference, reference_of
from tests.detector.drifting import BANDS, hour

_LEDGER: Any = SimpleNamespace(epoch="e1")


@pytest.fixture(scope="module")
def reference() -> Reference:
    found = reference_of([hour(k) for k in range(10)], of_the_day=False)
    assert found is not None
    return found


class _Station:
    """A watch, and the model that scores."""

    def __init__(self, store: Path, reference: Reference | None, ledger: Any = _LEDGER) -> None:
        self.metrics = Metrics("m", 4.0)
        self.put("m", reference)
        self.watch = DriftWatch(store, ledger, self.metrics, lambda: self.scorer)

    def put(self, model: str, reference: Reference | None) -> None:
        edges = SimpleNamespace(tolist=lambda: [float(k) for k in range(BANDS + 1)])
        features = SimpleNamespace(band_edges_hz=edges)
        self.scorer: Any = SimpleNamespace(model=model, reference=reference, features=features)

    def told(self, what: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"kilokai_drift_{what}_ratio")


def test_drift_is_unknown_until_there_is_enough_sound_and_then_told(
    tmp_path: Path, reference: Reference
) -> None:
    station = _Station(tmp_path, reference)
    station.watch.do(0.0)
    assert (station.told("level"), station.watch.as_json()) == (0.0, None)
    station.watch.take(hour(50, louder_db=6.0))
    station.watch.do(59.0)
    assert station.told("level") == 0.0  # not due
    station.watch.do(60.0)
    assert (station.told("level") or 0.0) > 2.0
    told = station.watch.as_json()
    assert told is not None
    assert told["level"]["ratio"] == station.told("level")
    assert told["moved"] == [{"low_hz": 0.0, "high_hz": 12.0, "db": pytest.approx(6.0, abs=1)}]
    json.dumps(told)


def test_a_restart_goes_on_with_the_same_counts(tmp_path: Path, reference: Reference) -> None:
    whole = _Station(tmp_path / "none", reference)  # has no store to write to
    whole.watch.take(hour(50))
    whole.watch.do(0.0)
    former = _Station(tmp_path, reference)
    former.watch.take(hour(50)[:2000])
    former.watch.say()
    later = _Station(tmp_path, reference)
    later.watch.take(hour(50)[2000:])
    later.watch.do(0.0)
    assert later.watch.as_json() == whole.watch.as_json() is not None


def test_a_model_without_a_reference_leaves_drift_unknown(tmp_path: Path) -> None:
    station = _Station(tmp_path, None)
    station.watch.take(hour(50))
    station.watch.do(0.0)
    assert (station.told("score"), station.watch.as_json()) == (0.0, None)
    assert not (tmp_path / FILE).exists()


def test_another_model_or_ledger_begins_anew(tmp_path: Path, reference: Reference) -> None:
    station = _Station(tmp_path, reference)
    station.watch.take(hour(50))
    station.watch.do(0.0)
    assert station.watch.as_json()
    station.put("n", reference)
    station.watch.do(1.0)
    assert station.watch.as_json() is None
    station.put("m", reference)
    station.watch.take(hour(50))
    station.watch.do(2.0)
    other = _Station(tmp_path, reference, SimpleNamespace(epoch="e2"))
    other.watch.do(0.0)
    assert other.watch.as_json() is None


def _of(hours: str) -> str:
    return f'{{"model": "m", "epoch": "e1", "hours": {hours}}}'


def _counts(hour: str = "1", scores: str = "[]", lowest_db: str = "[]", levels: str = "[]") -> str:
    counts = f'{{"scores": {scores}, "lowest_db": {lowest_db}, "levels": {levels}}}'
    return _of(f"[[{hour}, {counts}]]")


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{", "[" * 20_000, _of("[" * 20_000), _of("[[1, 2]]"), _of("[[[], {}]]")),
        _counts(hour="1e400"),
        _counts(scores=f"[{10**30}]"),
        _counts(scores="[1e400]"),
        _counts(scores="[-1e300]"),
        _counts(lowest_db="[0]", levels=f"[[{10**30}, 1]]"),
        _counts(lowest_db=f"[{10**30}]", levels="[[1, 2]]"),
        _counts(lowest_db="[null]", levels="[{}]"),
    ],
)
def test_a_damaged_file_costs_the_counts_and_nothing_else(
    tmp_path: Path, reference: Reference, text: str
) -> None:
    (tmp_path / FILE).write_text(text)
    station = _Station(tmp_path, reference)
    station.watch.take(hour(50))
    station.watch.do(0.0)
    assert station.watch.found is not None
    assert station.watch.found.windows == 3600
