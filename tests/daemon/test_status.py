import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from acoio.errors import DataError
from daemon.cli import app
from daemon.config import Config
from daemon.database import locked
from daemon.ledger import open_ledger
from daemon.progress import FileProgress
from daemon.retry import to_retry
from daemon.service import run
from daemon.status import complaints, status
from daemon.status_file import STATUS_FILE, StatusFile, last_said
from daemon.status_lines import duration
from daemon.stored import stored_events, stored_files
from detector.values import event_json, iso
from tests.daemon.sea import noise
from tests.daemon.test_events_cli import _judged
from tests.daemon.test_failing_disk import filled, small_disk
from tests.daemon.test_ledger import _MODEL, _score, _step
from tests.daemon.test_wire import _EVENT

_NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _kilokai(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "80"})


def _fill(store: Path) -> None:
    with open_ledger(store) as ledger:
        event = event_json(_EVENT)
        ledger.commit(_step(1, events=(event,), scores=(_score(1),)), _MODEL)
        for k in range(7):
            file = FileProgress(f"f{k}\x1b[31m", 10, 1, state="set_aside", reason="r" * 100)
            ledger.commit(_step(2, files=(file,), outgoing=(), scores=(), events=()), _MODEL)


def _beat(store: Path, **said: Any) -> None:
    fixed = {"station": "aco", "drop": "/d", "model": "ocean", "threshold": 20.0}
    values = {"heard_at": iso(datetime.now(UTC)), "store_full": False, "times_real_time": 1.0}
    backlog = {"files": 3, "seconds": 900.0, "left_s": 4.5}
    say = {**values, "backlog": backlog, **said}
    StatusFile(store, heartbeat_s=5.0, fixed=fixed, say=lambda: say).do(1.0)


def test_a_running_daemon_that_gets_on_is_well(tmp_path: Path) -> None:
    _fill(tmp_path)
    _beat(tmp_path)
    with locked(tmp_path):
        shown = _kilokai("status", "--store", tmp_path)
        _beat(tmp_path, drop_trouble="\x1b" + "/long" * 20)
        troubled = _kilokai("status", "--store", tmp_path).stdout.splitlines()
    assert troubled[1].startswith("  ! the drop cannot be listed: ")
    assert max(map(len, troubled)) <= 80
    assert "\x1b" not in "".join(troubled)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("well\n")
    assert f"runs as process {os.getpid()} since 20" in shown.stdout
    assert "3 files, 15.0 min of sound, about 4 s left" in shown.stdout
    assert "7 set aside" in shown.stdout
    assert "and 4 more set aside: see --json" in shown.stdout
    assert "\x1b" not in shown.stdout
    lines = shown.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    files = next(k for k, line in enumerate(lines) if line.startswith("files"))
    assert lines[files + 1].startswith("          - f0")
    assert "".join(line.strip() for line in lines).count("r" * 100) == 3


def test_the_json_holds_what_its_docstring_says(tmp_path: Path) -> None:
    _fill(tmp_path)
    _beat(tmp_path)
    found = json.loads(_kilokai("status", "--store", tmp_path, "--json").stdout)
    assert set(found) == {
        "well", "complaints", "daemon", "heard", "backlog", "files", "set_aside",
        "damaged_seconds", "model", "threshold", "events", "ledger", "disk",
        "drift", "alarms",
    }  # fmt: skip
    assert found["files"] == {"pending": 1, "done": 0, "set_aside": 7}
    assert found["set_aside"][0] == {"name": "f0\x1b[31m", "reason": "r" * 100}
    assert found["heard"]["newest_scored"] == "2018-10-28T00:00:03.000000Z"
    assert found["heard"]["lag_s"] > 1e8
    assert found["events"]["all"] == 1
    assert found["events"]["today"] == 0
    assert found["events"]["last"] == [event_json(_EVENT)]
    assert found["ledger"]["sequence"] == found["ledger"]["oldest"] == 1
    assert (found["model"], found["threshold"]) == ("ocean", 20.0)
    assert found["disk"]["free_bytes"] > 0


def test_three_heartbeats_of_silence_are_no_running_daemon(tmp_path: Path) -> None:
    _fill(tmp_path)
    _beat(tmp_path)
    with locked(tmp_path):
        assert status(tmp_path)["well"]
    seen_s = (tmp_path / STATUS_FILE).stat().st_mtime - 16
    os.utime(tmp_path / STATUS_FILE, (seen_s, seen_s))
    shown = _kilokai("status", "--store", tmp_path)
    assert shown.exit_code == 1
    assert shown.stdout.startswith("NOT WELL\n  ! not running: last sign of life 20")
    with locked(tmp_path):
        shown = _kilokai("status", "--store", tmp_path)
    assert shown.stdout.startswith("NOT WELL\n  ! starting or stuck: last sign of life 20")


def test_a_daemon_that_died_just_now_holds_nothing_and_is_not_well(tmp_path: Path) -> None:
    _fill(tmp_path)
    _beat(tmp_path)
    found = status(tmp_path)
    assert (found["daemon"]["running"], found["daemon"]["held"]) == (False, False)
    assert found["complaints"] == [f"not running: last sign of life {found['daemon']['written']}"]


def test_the_last_events_show_what_was_said_of_them(store: Path) -> None:
    *_, before, last = stored_events(store)
    _judged(store, last, "confirmed")
    shown = _kilokai("status", "--store", store).stdout.splitlines()
    for line, event, state in zip(
        shown[-2:], (before, last), (before["status"], "confirmed"), strict=True
    ):
        assert line.startswith(event["id"][:8])
        assert line.endswith(state)


@pytest.mark.parametrize("text", [None, "", "[]", '{"pid": '])
def test_without_a_sign_of_life_the_ledger_is_told_all_the_same(
    tmp_path: Path, text: str | None
) -> None:
    _fill(tmp_path)
    if text is not None:
        (tmp_path / STATUS_FILE).write_text(text)
    found = status(tmp_path)
    assert found["complaints"] == ["not running: it never did"]
    assert (found["model"], found["threshold"]) == (_MODEL, 2.0)
    assert found["files"]["set_aside"] == 7


def _found(**daemon: Any) -> dict[str, Any]:
    started = iso(_NOW - timedelta(hours=1))
    values = {"running": True, "written": started, "started": started, "store_full": False}
    values |= {"held": True, "stopped": None, "drop_trouble": None}
    return {
        "daemon": {**values, **daemon},
        "heard": {"heard_at": iso(_NOW - timedelta(minutes=1))},
        "backlog": {"files": 0},
    }


def test_what_is_not_well_is_said() -> None:
    assert complaints(_found(), _NOW) == []
    assert complaints(_found(store_full=True), _NOW) == ["the store is full: work waits for room"]
    away = ["the drop cannot be listed: /d: gone"]
    assert complaints(_found(drop_trouble="/d: gone"), _NOW) == away
    quiet = {**_found(), "heard": {"heard_at": None}}
    assert complaints(quiet, _NOW) == ["nothing heard for 60 minutes: no new files"]
    stuck = {**quiet, "backlog": {"files": 4}}
    assert complaints(stuck, _NOW) == ["nothing heard for 60 minutes: 4 files wait"]


def test_no_store_is_said_in_one_line(tmp_path: Path) -> None:
    for place, wanted in ((tmp_path / "none", "no such folder"), (tmp_path, "no ledger")):
        shown = _kilokai("status", "--store", place)
        assert shown.exit_code == 78
        assert wanted in shown.stderr
        assert len(shown.stderr.splitlines()) == 1


def test_a_full_disk_and_a_read_only_one_can_be_looked_at(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        _fill(disk / "store")
        _beat(disk / "store")
        with filled(disk):
            assert status(disk / "store")["disk"]["free_bytes"] == 0
            old_s = (disk / "store" / STATUS_FILE).stat().st_mtime - 60
            os.utime(disk / "store" / STATUS_FILE, (old_s, old_s))
            _beat(disk / "store")
            assert last_said(disk / "store")[1] < 5
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert status(disk / "store")["files"]["set_aside"] == 7


@pytest.mark.usefixtures("loud")
def test_a_file_set_aside_is_read_again_when_asked_for(config: Config, drop: Path) -> None:
    store, name = config.store.path, "2024-03-01--06.00.HYD24BBpk"
    (drop / name).write_bytes(noise(5000))
    assert run(config, until_idle=True) == 0
    assert _kilokai("retry", name, "--store", store).exit_code == 0
    assert _kilokai("retry", "--all", "--store", store).exit_code == 0
    with capture_logs() as said:
        assert run(config, until_idle=True) == 0
    about = [line["event"] for line in said if line.get("file") == name]
    assert about[:2] == ["file tried again: somebody asked for it", "file set aside"]
    assert _states(store) == {name: "set_aside"}
    with capture_logs() as said:
        assert run(config, until_idle=True) == 0
    assert not any(line.get("file") == name for line in said)


def _states(store: Path) -> dict[str, str]:
    return {file["name"]: file["state"] for file in stored_files(store)}


def test_only_what_is_set_aside_can_be_asked_for(tmp_path: Path) -> None:
    _fill(tmp_path)
    shown = _kilokai("retry", "a", "none", "--store", tmp_path)
    assert shown.exit_code == 1
    assert "a: found no such file set aside" in shown.stderr
    assert "none: found no such file set aside" in shown.stderr
    assert _kilokai("retry", "--store", tmp_path).exit_code == 2
    assert _kilokai("retry", "a", "--all", "--store", tmp_path).exit_code == 2
    shown = _kilokai("retry", "--all", "--store", tmp_path)
    assert shown.stdout == "asked for 7 files to be read again\n"


@pytest.mark.parametrize("data", [{}, {"names": "f0"}, {"names": [1]}, {"all": "yes"}])
def test_a_request_for_nothing_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="retry: wanted"):
        to_retry(data, {})


def test_to_ask_twice_or_too_late_does_no_harm() -> None:
    known = {"a": FileProgress("a"), "b": FileProgress("b", state="set_aside")}
    assert to_retry({"names": ["a", "b", "gone"]}, known) == ["b"]
    assert to_retry({"all": True}, known) == ["b"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0 s"), (59.0, "59 s"), (90.0, "1.5 min"), (5400.0, "1.5 h"), (1e6, "11.6 d")],
)
def test_spans_are_told_in_their_largest_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
