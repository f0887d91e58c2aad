import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from acoio.errors import SetupError
from daemon.cli import app
from daemon.config import Config
from daemon.doctor import examination
from daemon.doctor.finding import Check, Finding, Told, examine
from daemon.doctor.lines import finding_lines
from tests.daemon.doctor.conftest import sets_of


def test_a_check_that_hangs_fails_or_is_wrong_stops_no_other() -> None:
    forever = threading.Event()

    def hangs() -> Told:
        forever.wait()
        return []

    def fails() -> Told:
        raise SetupError("a: found b, wanted c")

    def is_wrong() -> Told:
        yield "ok", "as far as here", ""
        raise KeyError("x")

    def is_well() -> Told:
        yield "ok", "fine", ""

    checks = [Check("a", hangs, 0.1), Check("b", fails), Check("c", is_wrong), Check("d", is_well)]
    found = list(examine(checks))
    forever.set()
    assert [(f.check, f.mark) for f in found] == [
        ("a", "fail"), ("b", "fail"), ("c", "fail"), ("d", "ok")
    ]  # fmt: skip
    assert found[0].says == "a: no answer for 0 s"
    assert found[1].says == "a: found b, wanted c"
    assert "KeyError" in found[2].says
    assert "bug" in found[2].do


def test_a_finding_fits_80_columns_and_says_what_to_do() -> None:
    found = Finding("sockets", "fail", "\x1b" + "found this " * 20, "do that " * 20)
    lines = list(finding_lines(found))
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("fail sockets   \\x1bfound this")
    assert sum("-> " in line for line in lines) == 1
    assert not any("->" in line for line in finding_lines(Finding("a", "ok", "b", "c")))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave out what imports torch and scores."""

    def fine() -> Told:
        yield "ok", "fine", ""

    for name in ("check_versions", "check_gpu", "check_score"):
        monkeypatch.setattr(examination, name, fine)
    monkeypatch.setattr(examination, "check_model", lambda config: fine())
    yield


def _doctor(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["doctor", *map(str, words)], env={"COLUMNS": "80"})


def _sets(folder: Path, *more: str) -> list[str]:
    pairs = [*sets_of(folder), "evidence.keep_gb=0.001", *more]
    return [word for pair in pairs for word in ("--set", pair)]


@pytest.mark.usefixtures("quick", "config")
def test_the_command_tells_all_and_exits_by_the_worst(tmp_path: Path) -> None:
    shown = _doctor(*_sets(tmp_path))
    assert shown.exit_code == 0, shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    found: dict[str, Any] = json.loads(_doctor(*_sets(tmp_path), "--json").stdout)
    assert found["worst"] in ("ok", "warn")
    checks = list(dict.fromkeys(finding["check"] for finding in found["findings"]))
    assert checks == [
        "versions", "config", "drop", "store", "disk", "hints", "clock", "sockets", "keys",
        "ledger", "daemon", "model", "retrain", "gpu", "score",
    ]  # fmt: skip
    assert _doctor(*_sets(tmp_path, "drop.path=/no/such")).exit_code == 1


@pytest.mark.usefixtures("quick")
def test_a_wrong_configuration_is_a_finding_for_each_fault(tmp_path: Path) -> None:
    shown = _doctor(*_sets(tmp_path, "drop.settle_s=-1", "alerts.most_per_hours=1"), "--json")
    told = [f["says"] for f in json.loads(shown.stdout)["findings"] if f["check"] == "config"]
    assert shown.exit_code == 1
    assert len(told) == 2
    assert "did you mean most_per_hour?" in told[1]


@pytest.mark.usefixtures("quick", "config")
def test_a_name_in_the_environment_that_is_no_key_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILOKAI_STATION_NAME", "x")  # one underscore too few
    shown = _doctor(*_sets(tmp_path))
    assert "KILOKAI_STATION_NAME is no key" in shown.stdout
    assert "-> name it KILOKAI_STATION__NAME" in shown.stdout
    assert shown.exit_code == 0


def test_a_drop_that_hangs_keeps_no_other_check(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    forever = threading.Event()
    monkeypatch.setattr(examination, "_DROP_S", 0.1)
    monkeypatch.setattr("daemon.doctor.places._recordings", lambda path: forever.wait())
    for name in ("check_versions", "check_gpu", "check_score"):
        monkeypatch.setattr(examination, name, list)
    monkeypatch.setattr(examination, "load_config", lambda *_: config)
    found = {f.check: f.mark for f in examination.examined(None, [], {})}
    forever.set()
    assert (found["drop"], found["ledger"]) == ("fail", "ok")
