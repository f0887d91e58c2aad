"""The station's first model is that of the oldest retraining since a person chose one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daemon.models.history import BY, By, Switch
from daemon.models.registry import Registry
from daemon.retraining.first import first_model, lineage
from detector.checkpoint import write_model
from detector.drift import Reference, reference_of
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
        ([("a", "retrain"), ("b", "retrain"), ("a", "rollback")], ["a", "b", "a"]),
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
    found = first_model(registry, None)
    assert found is not None and found.reference is not None
    assert found.card["name"] == "aco-00000005"
    assert found.reference.as_json() == known.as_json()
    monkeypatch.setattr(Registry, "history", lambda _: switches[:4])
    assert first_model(registry, None) is None
