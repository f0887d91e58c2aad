import errno
import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from daemon.cli import app
from daemon.health.status import _since, status
from daemon.health.status_file import STATUS_FILE, StatusFile, last_said
from daemon.health.status_lines import duration
from daemon.ledger.database import locked
from daemon.ledger.ledger import open_ledger
from daemon.ledger.stored import stored_events
from daemon.models.history import Switch
from daemon.models.registry import Registry
from daemon.progress import FileProgress
from daemon.retraining.state import Outcome, State, write_state
from detector.values import event_json, iso
from tests.daemon.bus.test_wire import _EVENT
from tests.daemon.events.test_events_cli import _judged
from tests.daemon.ledger.test_ledger import _MODEL, _score, _step
from tests.daemon.test_failing_disk import filled, small_disk

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
    assert "and 5 more set aside: see --json" in shown.stdout
    assert "\x1b" not in shown.stdout
    lines = shown.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    files = next(k for k, line in enumerate(lines) if line.startswith("files"))
    assert lines[files + 1].startswith("          - f0")
    assert "".join(line.strip() for line in lines[files + 1 : files + 3]).endswith("r" * 100)


def test_the_json_holds_what_its_docstring_says(tmp_path: Path) -> None:
    _fill(tmp_path)
    _beat(tmp_path)
    found = json.loads(_kilokai("status", "--store", tmp_path, "--json").stdout)
    assert set(found) == {
        "well", "complaints", "daemon", "heard", "backlog", "files", "set_aside",
        "damaged_seconds", "model", "threshold", "events", "ledger", "disk", "state",
        "model_from", "model_since", "retrain", "drift", "alarms", "config",
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


def test_damaged_sound_is_counted_by_what_a_second_takes_in_its_own_file(tmp_path: Path) -> None:
    """A file of 8 bits that lost 100 of 110 s, beside one of 16 bits that lost nothing."""
    second = 24_000
    whole = FileProgress("a", bytes_read=2 * 300 * second, samples_read=300 * second)
    broken = replace(whole, name="b", bytes_read=100 * second, samples_read=10 * second)
    broken = replace(broken, damaged_bytes=90 * second, tail_bytes=10 * second)
    with open_ledger(tmp_path) as ledger:
        files = (whole, broken)
        ledger.commit(_step(1, files=files, outgoing=(), scores=(), events=()), _MODEL)
    assert status(tmp_path)["damaged_seconds"] == pytest.approx(100.0, rel=1e-4)


def test_a_store_that_may_not_be_read_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.access", lambda *_, **__: False)  # what the command line asks
    monkeypatch.setattr(Path, "resolve", denied)
    shown = _kilokai("status", "--json", "--store", tmp_path)
    assert shown.exit_code == 78
    assert json.loads(shown.stdout)["state"] == "setup"
    assert "Permission denied, wanted a store that may be read" in shown.stdout


def test_a_wrong_file_is_no_word_about_the_daemon(tmp_path: Path) -> None:
    (tmp_path / "kilokai.toml").write_text("[drop]\npaht = 'd'\n")
    shown = _kilokai("status", "--config", tmp_path / "kilokai.toml")
    assert shown.exit_code == 78
    assert "kilokai status --store" in shown.stderr


def test_three_heartbeats_of_silence_are_no_running_daemon(tmp_path: Path) -> None:
    _fill(tmp_path)
    _beat(tmp_path)
    with locked(tmp_path):
        assert status(tmp_path)["well"]
    seen_s = (tmp_path / STATUS_FILE).stat().st_mtime - 16
    os.utime(tmp_path / STATUS_FILE, (seen_s, seen_s))
    shown = _kilokai("status", "--store", tmp_path)
    assert shown.exit_code == 1
    assert shown.stdout.startswith("NOT WELL: down\n  ! not running: last sign of life 20")
    with locked(tmp_path):
        shown = _kilokai("status", "--store", tmp_path)
    assert shown.stdout.startswith("NOT WELL: starting\n  ! starting or hung: last sign of life 20")


def test_a_start_is_no_end_of_the_run_before(tmp_path: Path) -> None:
    _fill(tmp_path)
    file = StatusFile(tmp_path, heartbeat_s=5.0, fixed={}, say=dict)
    file.stop(finished=False)
    assert status(tmp_path)["state"] == "stopped"
    with locked(tmp_path):
        assert status(tmp_path)["state"] == "starting"
        file.start()
        assert status(tmp_path)["state"] == "well"


def test_sound_that_waits_while_nothing_goes_on_is_not_well(tmp_path: Path) -> None:
    _fill(tmp_path)
    _beat(tmp_path, went_on_at=iso(datetime.now(UTC) - timedelta(seconds=50)))
    with locked(tmp_path):
        shown = _kilokai("status", "--store", tmp_path)
    assert shown.exit_code == 1
    assert shown.stdout.startswith("NOT WELL: stalled\n  ! sound waits and nothing has gone on")


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


def test_the_whole_of_it_fits_a_screen(store: Path) -> None:
    aside = FileProgress("f" * 100, 10, 1, state="set_aside", reason="r" * 100)
    with open_ledger(store) as ledger:
        for k in range(5):
            file = replace(aside, name=f"{k}{aside.name}")
            ledger.commit(_step(2, files=(file,), outgoing=(), scores=(), events=()), _MODEL)
    state = State().begun("2026-05-01T06:00:00Z", "ocean")
    write_state(store, state.ended("2026-05-01T07:00:00Z", "refused", reasons=("slow " * 50,)))
    span = {"per_hour": 0.91, "low": 0.3, "high": 2.1, "alarms": 9, "hours": 9.9}
    ratio = {"statistic": 1.0, "expected": 0.1, "p99": 0.5, "ratio": 2.0}
    _beat(
        store,
        timezone="Pacific/Honolulu",
        alarms={"promised_per_hour": 1.0, "day": span, "week": None},
        drift={"windows": 9, "score": ratio, "level": ratio, "moved": []},
        drop_trouble="/d: " + "gone " * 60,
        model_trouble="model refused: " + "hash " * 60,
        model_from="detector.model",
        config={"reloaded": None, "restart_for": ["drop.path"], "faults": ["long " * 60]},
    )
    with locked(store):
        shown = _kilokai("status", "--store", store).stdout
    lines = shown.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0] == "NOT WELL: drop_unreachable"
    assert "  ! and 1 more: see --json" in lines
    for words in (
        "alarms    0 today (Pacific/Honolulu): 0 minor, 0 moderate, 0 major;",
        "rate      1 an hour promised; 0.91 (0.3 to 2.1) in a day",
        "drift     DRIFTED: scores 2.0 and levels 2.0 times what chance explains",
        "retrain   refused 2026-05-01 07:00: slow",
        "config    a restart is wanted for drop.path",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        (("refused", "failed"), "failed 2026-05-01 07:00, no. 2 since one was accepted"),
        (("refused", "too_little", "too_little"), "too little 2026-05-01 07:00, 2 in a row"),
        (("too_little", "out_of_season"), "out of season 2026-05-01 07:00"),
        (("too_little", "accepted"), "accepted 2026-05-01 07:00"),
    ],
)
def test_how_retraining_went_lately_is_told(
    store: Path, outcomes: tuple[Outcome, ...], words: str
) -> None:
    state = State().begun("2026-05-01T06:00:00Z", "ocean")
    for outcome in outcomes:
        state = state.ended("2026-05-01T07:00:00Z", outcome)
    write_state(store, state)
    assert f"retrain   {words}\n" in _kilokai("status", "--store", store).stdout


def test_sound_that_is_dated_ahead_is_not_what_was_scored_last(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        for begin, model in ((_NOW + timedelta(days=1500), "ahead"), (_NOW, "now")):
            scored = replace(_score(1), begin=begin, end=begin + timedelta(seconds=2))
            ledger.commit(_step(1, scores=(scored,), events=(), outgoing=()), model)
    found = status(tmp_path)
    assert found["heard"]["newest_scored"] == iso(_NOW + timedelta(seconds=2))
    assert found["model"] == "now"


def test_a_champion_that_was_chosen_anew_scores_since_it_first_did(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [("t0", "b"), ("t1", "a"), ("t2", "b"), ("t3", "b")]
    switches = [Switch(time, model, None, "promote") for time, model in told]
    monkeypatch.setattr(Registry, "history", lambda _: switches)
    assert (_since(store, "b"), _since(store, "a")) == ("t2", None)


def test_a_history_that_cannot_be_read_costs_no_status(tmp_path: Path) -> None:
    _fill(tmp_path)
    (tmp_path / "models" / "history.jsonl").mkdir(parents=True)
    assert status(tmp_path)["model_since"] is None


def test_today_begins_at_midnight_of_the_station(tmp_path: Path) -> None:
    zone = ZoneInfo("Pacific/Kiritimati")  # 14 h ahead: its day is another one most of the time
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    with open_ledger(tmp_path) as ledger:
        for k, (before_s, severity) in enumerate(((1, "major"), (-1, "minor"), (-2, "minor"))):
            begin = iso((midnight - timedelta(seconds=before_s)).astimezone(UTC))
            event = {**event_json(_EVENT), "id": f"{k}", "begin": begin, "severity": severity}
            ledger.commit(_step(1, events=(event,), scores=(), outgoing=()), _MODEL)
    _beat(tmp_path, timezone=str(zone))
    events = status(tmp_path)["events"]
    assert (events["all"], events["today"]) == (3, 2)
    assert events["by_severity"] == {"minor": 2, "moderate": 0, "major": 0}
    assert events["midnight"] == iso(midnight.astimezone(UTC))


def test_no_store_is_said_in_one_line(tmp_path: Path) -> None:
    for place, wanted in ((tmp_path / "none", "no such folder"), (tmp_path, "no ledger")):
        shown = _kilokai("status", "--store", place)
        assert shown.exit_code == 78
        assert wanted in shown.stderr
        assert len(shown.stderr.splitlines()) == 1
        shown = _kilokai("status", "--store", place, "--json")
        assert shown.exit_code == 78
        told = json.loads(shown.stdout)
        assert (told["well"], told["state"]) == (False, "setup")
        assert wanted in told["complaints"][0]


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


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0 s"), (59.0, "59 s"), (90.0, "1.5 min"), (5400.0, "1.5 h"), (1e6, "11.6 d")],
)
def test_spans_are_told_in_their_largest_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
