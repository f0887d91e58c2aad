"""One damaged old model says so; the others are listed, promoted and pruned as ever."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from daemon.cli import app
from daemon.models.entry import entry_of
from daemon.models.golden import load_registered
from daemon.models.registry import Registry
from detector.errors import ModelError
from tests.daemon.models.made import registry_of

_Spoil = Callable[[Path], object]
_DEEP = "[" * 20_000


def _changed(name: str, **values: Any) -> _Spoil:
    def spoil(folder: Path) -> None:
        said = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(said | values))

    return spoil


def _text(name: str, text: str) -> _Spoil:
    return lambda folder: (folder / name).write_text(text)


def _points(*points: Any) -> _Spoil:
    calibration = {"hours": 9.0, "release": 1.0, "points": points}
    return _changed("card.json", calibration=calibration)


_DAMAGED: dict[str, _Spoil] = {
    "decided is a number": _changed("verdict.json", decided=5),
    "decided is nothing": _changed("verdict.json", decided=None),
    "a reason is a number": _changed("verdict.json", reasons=[5]),
    "figures are a list": _changed("verdict.json", figures=[1]),
    "a verdict that nests too deep": _text("verdict.json", _DEEP),
    "a card that nests too deep": _text("card.json", _DEEP),
    "a card that nests deep": _text("card.json", '{"a":' * 900 + "1" + "}" * 900),
    "a point without a threshold": _points({"false_alarms_per_hour": 1.0}),
    "a point that is none": _points(5),
    "points that are none": _changed("card.json", calibration={"points": 5}),
    "a rate too large": _points({"false_alarms_per_hour": 10**400, "threshold": 1.0}),
}


def _run(store: Path, *words: str) -> str:
    shown = CliRunner().invoke(app, ["models", *words, "--store", str(store)])
    assert shown.exit_code == 0, shown.output
    return shown.stdout


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    store = tmp_path_factory.mktemp("three")
    registry, ids = registry_of(store, "old", "mid", "new")
    registry.promote(ids[2])
    return store, ids


@pytest.fixture
def registry(three: tuple[Path, list[str]], tmp_path: Path) -> Registry:
    shutil.copytree(three[0], tmp_path, symlinks=True, dirs_exist_ok=True)
    return Registry(tmp_path)


@pytest.fixture
def ids(three: tuple[Path, list[str]]) -> list[str]:
    return three[1]


@pytest.mark.parametrize("spoil", _DAMAGED.values(), ids=_DAMAGED)
def test_a_damaged_model_hides_no_other(
    registry: Registry, ids: list[str], tmp_path: Path, spoil: _Spoil
) -> None:
    old, mid, new = ids
    spoil(registry.folder(old))
    assert entry_of(registry.folder(old), new).fault
    _, *lines = _run(tmp_path, "list").splitlines()
    assert {line[2:].split()[0] for line in lines} == {old, mid, new}
    assert [line.endswith("damaged") for line in lines if old in line] == [True]
    assert json.loads(_run(tmp_path, "list", "--json"))["current"] == new
    _run(tmp_path, "show", old)
    _run(tmp_path, "promote", mid)
    _run(tmp_path, "prune", "--newest", "0")
    assert not registry.folder(old).exists()


_GOLDEN: dict[str, _Spoil] = {
    "that nest too deep": _text("golden.json", _DEEP),
    "that are a number": _changed("golden.json", scores=5),
    "that are none": _changed("golden.json", scores=None),
    "that are too large": _changed("golden.json", scores=[10**400] * 8),
    "that are one": lambda folder: _changed(
        "golden.json", scores=json.loads((folder / "golden.json").read_text())["scores"][:1]
    )(folder),
}


@pytest.mark.parametrize("spoil", _GOLDEN.values(), ids=_GOLDEN)
def test_golden_scores_that_are_none_are_the_models_fault(
    registry: Registry, ids: list[str], spoil: _Spoil
) -> None:
    old = registry.folder(ids[0])
    spoil(old)
    with pytest.raises(ModelError, match=r"golden\.json: (no JSON|found no 16 scores)"):
        load_registered(old)


def test_a_card_that_nests_too_deep_is_the_models_fault(registry: Registry, ids: list[str]) -> None:
    old = registry.folder(ids[0])
    (old / "card.json").write_text(_DEEP)
    with pytest.raises(ModelError, match="no JSON"):
        load_registered(old)
