"""The station's first model is the oldest champion since a person chose one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.models.history import BY, By, Switch, lineage
from daemon.models.registry import Registry
from daemon.retraining.first import first_model, of_the_hydrophone
from detector.calibration.drift import Reference, reference_of
from detector.scoring.checkpoint import read_model, write_model
from tests.daemon.models.made import flipped
from tests.detector import models
from tests.detector.drifting import hour
from tests.detector.sounds import SMALL


def _switches(*told: tuple[str | None, By]) -> list[Switch]:
    names = [None, *(name for name, _ in told)]
    return [Switch(f"t{k}", name, names[k], by) for k, (name, by) in enumerate(told)]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([], []),
        ([("a", "retrain"), ("b", "retrain")], ["a", "b"]),
        ([("a", "retrain"), ("b", "promote"), ("c", "retrain")], ["b", "c"]),
        ([("a", "retrain"), ("b", "retrain"), ("a", "rollback")], ["a"]),
        ([("z", "promote"), ("a", "promote"), ("z", "rollback"), ("c", "retrain")], ["z", "c"]),
        ([("a", "retrain"), ("x", "promote"), ("a", "rollback"), ("c", "retrain")], ["a", "c"]),
        ([("a", "retrain"), (None, "rollback"), ("c", "retrain")], ["c"]),
    ],
)
def test_a_person_begins_a_lineage_anew_and_a_retraining_does_not(
    told: list[tuple[str | None, By]], found: list[str]
) -> None:
    assert lineage(_switches(*told)) == found
    assert BY == ("promote", "rollback", "retrain")


def _model(store: Path, name: str, reference: Reference | None, **data: object) -> None:
    made = models.model()
    card = {**made.card, "name": name, "data": data}
    write_model(store / "models" / name, replace(made, reference=reference, card=card))


def test_what_is_gone_or_of_no_station_or_damaged_or_without_a_reference_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = reference_of([hour(k, bands=SMALL.bands) for k in range(4)])
    assert known is not None
    _model(tmp_path, "ocean-00000002", known, simulated_hours=8)
    _model(tmp_path, "aco-00000003", None, choice={})
    _model(tmp_path, "aco-00000004", known, choice={})
    flipped(tmp_path / "models" / "aco-00000004")
    _model(tmp_path, "aco-00000005", known, choice={})
    names = ("gone-00000001", "ocean-00000002", "aco-00000003", "aco-00000004", "aco-00000005")
    switches = _switches(*((name, "retrain") for name in names))
    registry = Registry(tmp_path)
    monkeypatch.setattr(Registry, "history", lambda _: switches)
    champion = replace(models.model(), id="present")
    found = first_model(registry, champion, None)
    assert found is not None and found.reference is not None
    assert found.card["name"] == "aco-00000005"
    assert found.reference.as_json() == known.as_json()
    monkeypatch.setattr(Registry, "history", lambda _: switches[:4])
    assert first_model(registry, champion, None) is None


def test_a_model_that_hears_other_windows_or_is_the_champion_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = reference_of([hour(k, bands=SMALL.bands) for k in range(4)])
    _model(tmp_path, "aco-00000001", known, choice={})
    registry = Registry(tmp_path)
    monkeypatch.setattr(Registry, "history", lambda _: _switches(("aco-00000001", "retrain")))
    other = models.model()
    assert first_model(registry, other, None) is not None
    wider = replace(other, features=replace(other.features, bands=2 * SMALL.bands))
    assert first_model(registry, wider, None) is None
    own = read_model(registry.folder("aco-00000001"))
    assert first_model(registry, own, None) is None


@pytest.mark.parametrize(
    ("begin", "found"),
    [("2024-06-02T09:59:59.000000Z", False), ("2024-06-02T10:00:00.000000Z", True), (None, False)],
)
def test_only_what_was_calibrated_since_the_change_is_of_the_hydrophone(
    begin: str | None, found: bool
) -> None:
    changed = datetime(2024, 6, 2, 10, tzinfo=UTC)
    card = {"data": {"choice": {}, "spans": {"calibration": {"begin": begin}}}}
    assert of_the_hydrophone(card, changed) is found
    assert of_the_hydrophone(card, None)


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"data": 5},
        {"data": {"choice": {}}},
        {"data": {"choice": {}, "spans": {"calibration": {"begin": "2024-16-01"}}}},
        {"data": {"choice": {}, "spans": {"calibration": {"begin": "2024-06-03"}}}},  # no zone
    ],
)
def test_a_card_that_does_not_say_is_of_no_hydrophone(card: dict[str, object]) -> None:
    assert not of_the_hydrophone(card, datetime(2024, 6, 2, 10, tzinfo=UTC))
    assert not of_the_hydrophone({"data": {"simulated_hours": 8}}, None)
