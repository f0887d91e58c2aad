"""The station's first model is that of the oldest retraining since a person chose one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.models.history import BY, By, Switch
from daemon.models.registry import Registry
from daemon.retraining.first import first_reference, lineage
from detector.drift import Reference, reference_of
from tests.detector.drifting import hour


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
    folder = store / "models" / name
    folder.mkdir(parents=True)
    told = {"reference": reference.as_json()} if reference else {}
    (folder / "card.json").write_text(json.dumps({"format": 2, "sha256": "", "data": data, **told}))


def test_what_is_gone_or_of_no_station_or_without_a_reference_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = reference_of([hour(k) for k in range(4)])
    assert known is not None
    _model(tmp_path, "ocean-00000002", known, simulated_hours=8)
    _model(tmp_path, "aco-00000003", None, choice={})
    _model(tmp_path, "aco-00000004", known, choice={})
    names = ("gone-00000001", "ocean-00000002", "aco-00000003", "aco-00000004")
    switches = _switches(*((name, "retrain") for name in names))
    registry = Registry(tmp_path)
    monkeypatch.setattr(Registry, "history", lambda _: switches)
    found = first_reference(registry)
    assert found is not None
    assert found.as_json() == known.as_json()
    monkeypatch.setattr(Registry, "history", lambda _: switches[:3])
    assert first_reference(registry) is None
