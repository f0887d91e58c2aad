import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daemon.cli import app
from daemon.config import load_config
from daemon.settings.example import example


def _kilokai(*words: str | Path, **environ: str) -> Result:
    return CliRunner().invoke(app, ["config", *map(str, words)], env={"COLUMNS": "80", **environ})


def _written(folder: Path, text: str) -> Path:
    (folder / "kilokai.toml").write_text(text)
    return folder / "kilokai.toml"


_WRONG = "[drop]\npath = '/a'\nsetle_s = 3\nsettle_s = -1\n[storage]\npath = 'b'\n"


def test_every_fault_is_told_with_its_place_and_the_name_that_was_meant(tmp_path: Path) -> None:
    file = _written(tmp_path, _WRONG)
    shown = _kilokai("check", "--config", file, KILOKAI_STATION__NAM="x")
    assert shown.exit_code == 78
    for line in (
        f"drop.settle_s: found -1, wanted seconds, above 0, at most 3600 ({file}:4)",
        f"did you mean settle_s? ({file}:3)",
        f"did you mean store? ({file}:5)",
        "did you mean name? (KILOKAI_STATION__NAM)",
    ):
        assert line in shown.stderr
    told = json.loads(_kilokai("check", "--config", file, "--json").stdout)
    assert not told["right"]
    assert {fault["key"]: fault["from"] for fault in told["faults"]} == {
        "drop.setle_s": f"{file}:3", "drop.settle_s": f"{file}:4", "storage": f"{file}:5"
    }  # fmt: skip


def test_a_name_like_no_other_suggests_nothing(tmp_path: Path) -> None:
    shown = _kilokai("check", "--config", _written(tmp_path, "[drop]\npath='/a'\nxyzzy=1\n"))
    assert "did you mean" not in shown.stderr


def test_a_right_one_is_right(tmp_path: Path) -> None:
    file = _written(tmp_path, example())
    assert _kilokai("check", "--config", file).stdout == f"right: {file}, 1 key given\n"
    shown = _kilokai("check", "--config", file, "--json")
    assert (shown.exit_code, json.loads(shown.stdout)) == (0, {"right": True, "faults": []})


def test_what_is_in_force_is_shown_with_where_it_comes_from(tmp_path: Path) -> None:
    file = _written(tmp_path, "[drop]\npath = '/a'\nsettle_s = 4\nrescan_s = 4\n")
    words = ("--config", file, "--set", "drop.rescan_s=6")
    environ = {"KILOKAI_STATION__NAME": "two"}
    found = json.loads(_kilokai("show", *words, "--json", **environ).stdout)
    wanted = (("drop", "settle_s"), ("drop", "rescan_s"), ("station", "name"), ("bus", "keys"))
    origins = {key: found[table][key] for table, key in wanted}
    assert origins == {
        "settle_s": {"value": 4.0, "from": f"{file}:3"},
        "rescan_s": {"value": 6.0, "from": "--set"},
        "name": {"value": "two", "from": "KILOKAI_STATION__NAME"},
        "keys": {"value": None, "from": "default"},
    }
    shown = _kilokai("show", *words, **environ).stdout
    sets = ["station.name=two", "drop.path=/a", "drop.settle_s=4", "drop.rescan_s=6"]
    assert load_config(_written(tmp_path, shown), [], {}) == load_config(None, sets, {})


def test_what_init_writes_is_right_and_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    assert _kilokai("init", file).exit_code == 0
    assert tomllib.loads(file.read_text()) == tomllib.loads(example())
    file.write_text("mine")
    shown = _kilokai("init", file)
    assert (shown.exit_code, file.read_text()) == (78, "mine")
    assert f"{file}: found a file there, wanted none; --force replaces it" in shown.stderr
    assert _kilokai("init", file, "--force").exit_code == 0
    assert file.read_text() == _kilokai("init", "-").stdout == example()
    assert _kilokai("init", tmp_path / "none" / "x.toml").exit_code == 78


@pytest.mark.parametrize("words", [("schema",), ("show", "--set", "drop.path=/a", "--json")])
def test_what_is_json_is_json(words: tuple[str, ...]) -> None:
    found: dict[str, Any] = json.loads(_kilokai(*words).stdout)
    assert found


def test_names_of_the_environment_that_are_no_keys_and_a_drop_that_is_not_there_are_told(
    tmp_path: Path,
) -> None:
    text = f"[drop]\npath = '{tmp_path}/none'\n[metrics]\npassword = '{tmp_path}/no'\n"
    file = _written(tmp_path, text)
    shown = _kilokai("check", "--config", file, KILOKAI_STATION_NAME="x", KILOKAI_STATOIN="y")
    assert shown.exit_code == 0
    assert shown.stderr.splitlines() == [
        "kilokai: KILOKAI_STATION_NAME is no key: name it KILOKAI_STATION__NAME",
        "kilokai: KILOKAI_STATOIN is no key: name it KILOKAI_SECTION__KEY",
        f"kilokai: drop.path: {tmp_path}/none is not there now; it is waited for",
        f"kilokai: metrics.password: {tmp_path}/no is not there now",
    ]


def test_a_list_of_which_a_part_is_wrong_is_told_once() -> None:
    shown = _kilokai("check", "--set", "drop.path=/a", "--set", "retrain.months=[13]")
    assert shown.stderr.count("retrain.months") == 1


def test_without_a_file_it_is_said_that_there_was_none() -> None:
    assert "with path (no --config was given)" in _kilokai("check").stderr
