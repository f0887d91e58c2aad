import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from acoio import DataError, read
from acoio.clock import record_us, to_us
from acoio.writer import encode_records
from daemon.cli import app
from tests.acoio.feeds import BEGIN
from tests.acoio.feeds import noise as counts
from tests.daemon.bench import bench_on
from tests.daemon.sea import Sea, noise

_COMMANDS = [
    "run",
    "demo",
    "simulate",
    "inspect",
    "score",
    "subscribe",
    "train",
    "evaluate",
    "events list",
    "keys server",
    "keys client",
    "keys allow",
    "keys revoke",
    "keys list",
]


def _run(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = _run(*command.split(), "--help")
    assert code == 0
    assert f"Example: kilokai {command}" in out
    monkeypatch.setenv("COLUMNS", "2000")
    _, wide, _ = _run(*command.split(), "--help")
    prose = [line.strip() for line in wide.partition("╭")[0].splitlines()]
    assert not any(one and other for one, other in pairwise(prose)), "wrapped twice"


def test_wrong_use_exits_2() -> None:
    assert _run("simulate", "--minuets", "3")[0] == 2
    assert _run("swim")[0] == 2


def test_simulate_overwrites_no_recording(tmp_path: Path) -> None:
    real = tmp_path / "2024-03-01--06.00.HYD24BBpk"
    real.write_bytes(b"real")
    code, _, err = _run("simulate", tmp_path, "--minutes", "1")
    assert (code, "found that there" in err) == (78, True)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"real"]


def test_the_version_is_told() -> None:
    code, out, _ = _run("--version")
    assert (code, out[:8]) == (0, "kilokai ")


def test_inspect_says_what_a_file_holds(sea: Sea, tmp_path: Path) -> None:
    name, data = next(sea.cut())
    (tmp_path / name).write_bytes(data[:-100])
    code, out, _ = _run("inspect", tmp_path / name, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["records"] == sum(found["bits"].values()) == 702
    assert found["layout"] == "new"
    assert found["damages"][0]["reason"].startswith("short last record")
    assert found["gaps"] == []
    assert "702 records" in _run("inspect", tmp_path / name)[1]


def test_inspect_lists_a_bounded_number_of_lines_and_says_what_is_dead(
    sea: Sea, tmp_path: Path
) -> None:
    records = list(sea.records[:400])
    del records[10:300:3]
    records[-9:] = [record[:36] + bytes(len(record) - 36) for record in records[-9:]]
    (tmp_path / next(sea.cut())[0]).write_bytes(b"".join(records))
    code, out, _ = _run("inspect", tmp_path / next(sea.cut())[0])
    assert code == 0
    assert len(out.splitlines()) < 30
    assert "and 78 more gaps: see --json" in out
    found = json.loads(_run("inspect", tmp_path / next(sea.cut())[0], "--json")[1])
    assert found["gaps"][-1]["reason"] == "dead channel: the samples stand still"
    assert abs(found["clock_off"] or 0.0) < 1e-5


@pytest.mark.parametrize("rate_hz", [12_000, 25_000])
def test_a_file_of_another_rate_is_one_reason_at_every_door(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "2024-03-01--06.00.HYD24BBpk"
    times = to_us(BEGIN) + np.rint(np.arange(300) * record_us(rate_hz)).astype(np.int64)
    path.write_bytes(encode_records(counts(300), begins_us=times, first_number=7))
    wanted = f"as at {rate_hz} Hz, wanted 170.7 ms, as at 24000 Hz"
    code, out, _ = _run("inspect", path)
    assert wanted in out
    assert len(out.splitlines()) < 8
    code, _, err = _run("score", path)
    assert (code, wanted in err.replace("\n", " ")) == (1, True)
    with pytest.raises(DataError, match=wanted):
        read(path)
    with bench_on(tmp_path, tmp_path / "store") as bench:
        bench.work()
        (file,) = bench.ledger.files.values()
        assert (file.state, wanted in file.reason) == ("set_aside", True)
        assert len(bench.sent) < 10


def test_inspect_of_what_is_no_recording_fails_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.HYD24BBpk").write_bytes(noise(5000))
    code, out, err = _run("inspect", tmp_path / "x.HYD24BBpk")
    assert (code, out) == (1, "")
    assert err.startswith("kilokai: ")
    assert err.count("\n") == 1


def test_score_goes_on_after_a_file_it_cannot_read_and_exits_1(
    sea: Sea, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.daemon.fakes import LoudnessScorer

    monkeypatch.setattr("detector.scoring.checkpoint.load_model", lambda *_, **__: LoudnessScorer())
    for name, data in sea.cut():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "2024-03-01--05.00.HYD24BBpk").write_bytes(noise(5000))
    code, out, err = _run("score", tmp_path, "--json")
    found = json.loads(out)
    assert code == 1
    assert "no record header" in err
    assert found.keys() == {"scores", "events", "gaps"}
    assert found["scores"][0].keys() == {"begin", "end", "score", "threshold"}
    assert len(found["scores"]) > 300
    assert all(event["status"] == "closed" for event in found["events"])


def test_no_store_is_a_wrong_setup(tmp_path: Path) -> None:
    code, _, err = _run("events", "list", "--store", tmp_path / "none")
    assert code == 78
    assert "found no such folder" in err


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [("--evening", "18-25", "two hours of the day"), ("--months", "5,13", "months from 1 to 12")],
)
def test_train_refuses_times_that_are_none(
    tmp_path: Path, option: str, value: str, wanted: str
) -> None:
    code, _, err = _run("train", tmp_path / "m", "--archive", tmp_path, option, value)
    assert code == 78
    assert f"found '{value}', wanted {wanted}" in err
    assert not (tmp_path / "m").exists()


def test_train_says_how_much_of_typical_sound_an_archive_lacks(sea: Sea, tmp_path: Path) -> None:
    for name, data in sea.cut():
        (tmp_path / name).write_bytes(data)
    code, _, err = _run("train", tmp_path / "m", "--archive", tmp_path, "--hours", "24")
    assert code == 1
    assert "h of sound, wanted 24 h" in err
    assert not (tmp_path / "m").exists()


def test_train_refuses_hours_that_promise_too_little_before_it_looks(tmp_path: Path) -> None:
    words = ("train", tmp_path / "m", "--archive", tmp_path, "--calibration-hours", "8")
    code, _, err = _run(*words)
    assert code == 78
    assert "calibration hours: found 8, wanted at least 10 to promise 1 false alarms" in err


@pytest.mark.parametrize(
    ("hours", "given", "wanted"), [(8.0, None, 24.0), (24.0, None, 60.0), (24.0, 30.0, 30.0)]
)
def test_an_archive_is_calibrated_on_enough_hours_for_the_usual_rate(
    hours: float, given: float | None, wanted: float
) -> None:
    from daemon.cli.train import _choice
    from detector.training.choose import Choice

    choice = _choice(hours, given, None, None, None)
    assert choice == replace(
        Choice(), typical_hours=hours, various_hours=hours / 2, calibration_hours=wanted
    )


def test_train_refuses_what_only_an_archive_has(tmp_path: Path) -> None:
    words = ("--calls", tmp_path / "x.csv", "--timezone", "UTC", "--evening", "18-24")
    code, _, err = _run("train", tmp_path / "m", *words, "--months", "5")
    assert code == 78
    found = f"--calls {tmp_path / 'x.csv'}, --timezone UTC, --evening 18-24, --months 5"
    assert f"found {found} without --archive, wanted both" in err
    assert not (tmp_path / "m").exists()


def test_train_refuses_a_seed_that_torch_could_not_take(tmp_path: Path) -> None:
    assert _run("train", tmp_path / "m", "--seed", str(2**31))[0] == 2
