"""What a person does with events on the command line."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from acoio.audacity import read_audacity
from acoio.errors import DataError
from acoio.labels import Label, write_labels
from acoio.raven import read_raven
from daemon.cli import app
from daemon.events.export import FORMS, recordings
from daemon.events.find import judged_spans, listed, one_of, without
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import open_ledger
from daemon.ledger.stored import stored_events, stored_files
from daemon.progress import Step
from daemon.service.requests import FOLDER
from detector.training.choose import Chosen
from detector.training.sources import ChosenHours


def _run(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["events", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def _judged(store: Path, event: dict[str, Any], verdict: str) -> None:
    said = {"verdict": verdict, "at": "2026-11-22T19:00:00.000000Z", "note": "n" * 200}
    said |= {"call_type": "humpback" if verdict == "confirmed" else "", "who": "kea"}
    with closing(sqlite3.connect(store / LEDGER_FILE)) as database, database:
        row = event["id"], said["at"], json.dumps(said)
        database.execute("INSERT INTO verdicts VALUES (?, ?, ?)", row)


@pytest.fixture
def judged(store: Path) -> Path:
    """A store whose first event is confirmed and whose second is rejected."""
    first, second = stored_events(store)[:2]
    _judged(store, first, "confirmed")
    _judged(store, second, "rejected")
    return store


@pytest.mark.parametrize("command", ["list", "show", "export", "review"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    code, out, _ = _run(command, "--help")
    assert code == 0
    assert f"Example: kilokai events {command}" in out


def test_filters_keep_what_each_says_and_all_say(judged: Path) -> None:
    events = listed(judged)
    first, second, third = events[:3]

    def ids(*words: str) -> list[str]:
        code, out, err = _run("list", "--json", "--store", judged, *words)
        assert (code, err) == (0, "")
        return [event["id"] for event in json.loads(out)]

    every = [event["id"] for event in events]
    assert ids() == every
    assert ids("--verdict", "confirmed") == ids("--status", "reviewed")[:1] == [first["id"]]
    assert ids("--verdict", "none") == ids("--status", "closed") == every[2:]
    assert ids("--from", second["begin"], "--to", third["begin"]) == every[1:2]
    assert ids("--limit", "2") == every[-2:]
    best = max(event["score"] for event in events)
    assert ids("--min-score", str(best)) == [e["id"] for e in events if e["score"] == best]
    low, high = str(first["low_hz"] / 4), str(first["low_hz"] / 2)
    assert ids("--band", low, high) == [
        e["id"] for e in events if e["low_hz"] <= float(high) and e["high_hz"] >= float(low)
    ]
    assert ids("--severity", "major") == [e["id"] for e in events if e["severity"] == "major"]
    assert ids("--verdict", "rejected", "--limit", "1") == every[1:2]


def test_a_list_for_people_has_80_columns(judged: Path) -> None:
    _, out, _ = _run("list", "--store", judged)
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("\n") == len(listed(judged)) + 1
    events = listed(judged)
    states = ["confirmed", "rejected", *[event["status"] for event in events[2:]]]
    for line, event, state in zip(out.splitlines()[1:], events, states, strict=True):
        assert line.startswith(event["id"][:8])
        assert line.endswith(state)


def test_show_tells_all_of_an_event_in_80_columns(judged: Path) -> None:
    event = listed(judged)[0]
    code, out, _ = _run("show", event["id"][:6].upper(), "--store", judged)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert f"bout      {event['bout']}" in out
    for text in (event["id"], event["clip"], event["picture"], "confirmed, humpback by kea"):
        assert text in out
    assert "pending" in out
    found = json.loads(_run("show", event["id"], "--store", judged, "--json")[1])
    assert found == {
        **event,
        "verdicts": [event["verdict"]],
        "evidence": {"clip": "pending", "picture": "pending"},
    }


@pytest.mark.parametrize("prefix", ["ffffffff", "", "abc", "../../x", "%", "'; DROP TABLE events"])
def test_an_id_that_is_none_is_told_and_exits_1(judged: Path, prefix: str) -> None:
    for command in (["show"], ["review", "--confirmed"]):
        code, out, err = _run(*command, "--store", judged, "--", prefix)
        assert (code, out) == (1, "")
        assert err.startswith("kilokai: event: found ")
        assert "of an id or more" in err or "with an id that begins" in err
    assert not (judged / FOLDER).exists() or not any((judged / FOLDER).iterdir())


def test_a_file_that_cannot_be_written_is_told_in_a_line(judged: Path, tmp_path: Path) -> None:
    for form in ("raven", "csv", "json", "parquet"):
        out = tmp_path / "nowhere" / "night"
        code, _, err = _run("export", "--format", form, "-o", out, "--store", judged)
        assert (code, err.count("\n")) == (78, 1)
        assert "night: No such file or directory" in err


@pytest.mark.parametrize(
    "options", [["--min-score", "nan"], ["--from", "2024-03-02", "--to", "2024-03-01"]]
)
def test_a_filter_that_takes_nothing_is_refused(judged: Path, options: list[str]) -> None:
    code, out, err = _run("list", "--store", judged, *options)
    assert (code, out) == (1, "")
    assert f"{options[0]}: found " in err


def test_an_id_that_is_several_names_them(tmp_path: Path) -> None:
    events = tuple({"id": f"abcd{k:012d}", "begin": "2024", "status": "closed"} for k in range(9))
    with open_ledger(tmp_path) as ledger:
        ledger.commit(Step(events=events), "m")
    with pytest.raises(DataError, match=r"found 9 with the id 'ABCD': abcd0.*4$"):
        one_of(tmp_path, "ABCD")


def test_a_review_waits_for_a_daemon_and_says_so(
    judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.cli.review._PATIENCE_S", 0.0)
    event = listed(judged)[2]
    words = ("--rejected", "--note", "a ship", "--who", "nai", "--store", judged)
    code, out, _ = _run("review", event["id"][:8], *words)
    assert code == 0
    assert out.startswith(f"{event['id']}: rejected.\nIt waits for a daemon")
    (asked,) = (judged / FOLDER).iterdir()
    data = json.loads(asked.read_text())["data"]
    assert {data[name] for name in ("id", "verdict", "note", "who")} == {
        event["id"],
        "rejected",
        "a ship",
        "nai",
    }
    for wrong in ((), ("--confirmed", "--rejected"), ("--rejected", "--confirmed")):
        code, _, err = _run("review", event["id"], *wrong, "--store", judged)
        assert (code, "--confirmed" in err) == (2, True)
    assert _run("review", event["id"], "--confirmed", "--note", "a\nb", "--store", judged)[0] == 1


@pytest.mark.parametrize("form", [*FORMS])
def test_every_export_comes_back(judged: Path, tmp_path: Path, form: str) -> None:
    out, events = tmp_path / "out", listed(judged)
    code, _, err = _run("export", "--format", form, "-o", out, "--store", judged)
    assert (code, err) == (0, f"{len(events)} events written to {out}\n")
    begins = [event["begin"] for event in events]
    labels = [event.get("verdict", {}).get("call_type") for event in events]
    spans = recordings(events, stored_files(judged))
    if form == "json":
        assert json.loads(out.read_text()) == events
    elif form == "csv":
        with out.open(newline="") as text:
            rows = list(csv.DictReader(text))
        assert [row["begin"] for row in rows] == begins
        assert [row["bout"] for row in rows] == [event["bout"] for event in events]
        assert [row["call_type"] or None for row in rows[:1]] == labels[:1]
    elif form == "parquet":
        table = pq.read_table(out)
        assert table["begin"].to_pylist() == [datetime.fromisoformat(text) for text in begins]
        assert table["bout"].to_pylist() == [event["bout"] for event in events]
        assert table["call_type"].to_pylist() == labels
        assert table["score"].to_pylist() == [event["score"] for event in events]
    else:
        read = read_raven if form == "raven" else read_audacity
        found = read(out, spans)
        assert [label.label for label in found[:2]] == ["humpback", "rejected"]
        for label, event in zip(found, events, strict=True):
            assert abs(label.begin - datetime.fromisoformat(event["begin"])) < timedelta(
                seconds=1e-4
            )
            assert (label.low_hz, label.high_hz) == (event["low_hz"], event["high_hz"])


def test_ravens_place_in_the_file_is_the_very_sample(judged: Path, tmp_path: Path) -> None:
    _run("export", "--format", "raven", "-o", tmp_path / "out", "--store", judged)
    with (tmp_path / "out").open() as text:
        rows = list(csv.DictReader(text, delimiter="\t"))
    for row, event in zip(rows, listed(judged), strict=True):
        assert row["Begin File"] == event["file"]
        assert float(row["File Offset (s)"]) == pytest.approx(event["sample"] / 24_000, abs=1e-4)
        assert row["Kilokai ID"] == event["id"]


@pytest.mark.parametrize("form", [*FORMS])
def test_an_export_goes_wherever_it_is_sent(judged: Path, tmp_path: Path, form: str) -> None:
    words = ["export", "--format", form, "--store", str(judged), "-o"]
    assert _run(*words, tmp_path / "out")[0] == 0
    wanted = (tmp_path / "out").read_bytes()
    sent = CliRunner().invoke(app, ["events", *words, "-"])
    assert (sent.stdout_bytes, sent.stderr[-27:]) == (wanted, "written to standard output\n")
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor() as pool:
        read = pool.submit((tmp_path / "pipe").read_bytes)
        assert _run(*words, tmp_path / "pipe")[0] == 0
        assert read.result(60) == wanted
    (tmp_path / "out").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("out")
    for name in ("out", "link"):
        code, _, err = _run(*words, tmp_path / name)
        assert (code, f"{name}: found a file there, wanted none; --force" in err) == (78, True)
        assert (tmp_path / "out").read_bytes() == b"mine"
        assert _run(*words, tmp_path / name, "--force")[0] == 0
        assert (tmp_path / "out").read_bytes() == wanted
        (tmp_path / "out").write_bytes(b"mine")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "pipe").is_fifo()
    code, _, err = _run(*words, tmp_path / "none" / "out")
    assert (code, "none/out: No such file or directory" in err) == (78, True)


def test_nothing_to_export_is_told(judged: Path, tmp_path: Path) -> None:
    words = ("--format", "csv", "-o", tmp_path / "out", "--store", judged, "--min-score", "1e9")
    code, _, err = _run("export", *words)
    assert (code, err) == (1, "kilokai: events: found none to export, wanted one at least\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words", [("--from", "noon"), ("--band", "20", "10"), ("--band", "-5", "10")]
)
def test_a_filter_that_is_none_is_told(judged: Path, words: tuple[str, ...]) -> None:
    code, _, err = _run("list", "--store", judged, *words)
    assert code == 1
    assert "wanted" in err


def test_judged_spans_are_those_of_the_newest_verdict(judged: Path) -> None:
    first = listed(judged)[0]
    assert len(judged_spans(judged, "confirmed")) == 1
    later = {"verdict": "rejected", "at": "2026-11-23T00:00:00.000000Z"}
    with closing(sqlite3.connect(judged / LEDGER_FILE)) as database, database:
        database.execute(
            "INSERT INTO verdicts VALUES (?, ?, ?)", (first["id"], later["at"], json.dumps(later))
        )
    assert judged_spans(judged, "confirmed") == []
    assert len(judged_spans(judged, "rejected")) == 2


def test_spans_are_taken_out_of_spans() -> None:
    def at(*minutes: tuple[int, int]) -> list[tuple[datetime, datetime]]:
        day = datetime(2018, 10, 28, tzinfo=UTC)
        return [(day + timedelta(minutes=a), day + timedelta(minutes=b)) for a, b in minutes]

    known = at((0, 10), (20, 30), (40, 50))
    assert without(known, []) == known
    assert without(known, at((2, 3), (15, 25), (39, 51))) == at((0, 2), (3, 10), (25, 30))
    assert without(known, at((10, 20), (30, 40))) == known


def test_a_training_leaves_out_what_was_confirmed_and_keeps_what_was_rejected(
    judged: Path, heard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (
        [datetime.fromisoformat(event[name]) for name in ("begin", "end")]
        for event in listed(judged)[:3]
    )
    labels = tmp_path / "calls.csv"
    write_labels(labels, [Label(a, b, "f", 0, "call", True) for a, b in (second, third)])
    sources: list[ChosenHours] = []

    def train(_: Path, source: ChosenHours, **__: object) -> list[str]:
        sources.append(source)
        return []

    monkeypatch.setattr("detector.training.recipe.train_archive", train)
    monkeypatch.setattr("detector.training.choose.choose", lambda *_, **__: Chosen((), (), ()))
    words = ["train", tmp_path / "m", "--archive", heard / "drop", "--calls", labels]
    result = CliRunner().invoke(app, [*map(str, words), "--store", str(judged)])
    assert result.exit_code == 0
    assert "1 events confirmed, 1 rejected" in result.stdout
    assert [list(span) for span in sources[0].calls] == [third, first]


def test_a_store_is_of_no_use_to_a_simulated_ocean(judged: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", str(tmp_path / "m"), "--store", str(judged)])
    assert result.exit_code == 78
    assert f"found --store {judged} without --archive, wanted both" in result.stderr
