import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from acoio.filename import parse_filename
from daemon.cli import app
from daemon.config import Config
from daemon.drop.arrivals import Task
from daemon.drop.listing import Seen
from daemon.drop.pace import Replay, Span, parse_span, records_in
from daemon.hearing.batch import score_files
from daemon.ledger.ledger import Ledger
from daemon.ledger.stored import stored_events, stored_files, stored_scores
from daemon.progress import FileProgress, Step
from daemon.service.run import run
from detector.scoring.listen import Listener
from tests.daemon.fakes import LoudnessScorer

_BEGIN = datetime(2024, 3, 1, 6, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def _span(first: float, last: float) -> Span:
    return Span(_BEGIN + first * _MINUTE, _BEGIN + last * _MINUTE)


def test_a_span_is_two_times_in_utc() -> None:
    begin = datetime(2018, 10, 28, 10, tzinfo=UTC)
    wanted = Span(begin, begin + timedelta(hours=1))
    assert parse_span("2018-10-28T10:00/2018-10-28T11:00") == wanted
    assert parse_span("2018-10-28T10:00Z/2018-10-28T13:00+02:00") == wanted
    assert str(wanted) == "2018-10-28T10:00:00/2018-10-28T11:00:00"
    assert parse_span("2018-10-28/2018-10-29").end.astimezone(UTC).day == 29


@pytest.mark.parametrize("text", ["", "2018", "a/b", "2018-01-02/2018-01-01", "2018-01-01/x/y"])
def test_what_is_no_span_is_wrong_use(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted BEGIN/END"):
        parse_span(text)
    words = ["run", "--set", f"drop.path={tmp_path}", "--replay", text]
    assert CliRunner().invoke(app, words).exit_code == 2


@pytest.mark.parametrize("words", [["--speed", "2"], ["--replay", "2018/2019", "--speed", "0"]])
def test_a_speed_belongs_to_a_replay_and_is_above_nothing(words: Sequence[str]) -> None:
    assert CliRunner().invoke(app, ["run", *words]).exit_code == 2


def test_a_span_without_recordings_is_said(full_drop: Path, tmp_path: Path) -> None:
    sets = ["--set", f"drop.path={full_drop}", "--set", f"store.path={tmp_path / 'store'}"]
    found = CliRunner().invoke(app, ["run", *sets, "--replay", "2018-10-28/2018-10-29"])
    assert found.exit_code == 1
    assert "found no recording of 2018-10-28/2018-10-29" in found.stderr


def _seen(minute: int) -> Seen:
    return Seen(f"{_BEGIN + minute * _MINUTE:%Y-%m-%d--%H.%M}.HYD24BBpk", 1000, 1)


def test_a_few_recordings_of_the_span_are_shown_ahead_and_all_that_are_done() -> None:
    listing = [_seen(minute) for minute in (30, 0, 5, 10, 15, 20, 25)] + [Seen("notes", 1, 1)]
    replay = Replay(_span(5, 30))
    assert replay.shown(listing, {}) == [_seen(minute) for minute in (5, 10, 15, 20)]
    states = {5: "done", 10: "set_aside", 15: "pending"}
    known = {
        _seen(minute).name: FileProgress(_seen(minute).name, state=state)  # type: ignore[arg-type]
        for minute, state in states.items()
    }
    assert replay.shown(listing, known) == [_seen(minute) for minute in (5, 10, 15, 20, 25)]


def test_sound_is_due_by_the_clock_times_the_speed() -> None:
    replay, task = Replay(_span(0, 60), speed=10.0), Task("read", _seen(5))
    heard = {task.seen.name: FileProgress(task.seen.name, samples_read=240_002)}
    assert replay.allows(Task("read", _seen(0)), {}, 100.0)
    assert not replay.allows(task, {}, 129.9)
    assert replay.allows(task, {}, 130.0)
    assert not replay.allows(task, heard, 130.9)
    assert replay.allows(task, heard, 131.1)
    assert replay.allows(Task("close", _seen(50)), {}, 100.0)
    assert Replay(_span(0, 60)).allows(task, {}, 0.0)


@pytest.mark.parametrize(
    ("step_s", "records"), [(None, 256), (0.001, 1), (0.25, 1), (15.0, 87), (1e6, 256)]
)
def test_a_step_at_a_pace_is_small(step_s: float | None, records: int) -> None:
    assert records_in(step_s, 24_000.0, most=256) == records


def _batch(drop: Path, span: Span) -> dict[str, Any]:
    names = sorted(path.name for path in drop.iterdir())
    within = [n for n in names if span.begin <= parse_filename(n).begin < span.end]
    ear = Listener(LoudnessScorer(), station="aco")  # type: ignore[arg-type]
    files = [(name, drop / name) for name in within]
    return score_files(files, ear, 24_000.0, told=lambda _: None).as_json()


@pytest.mark.usefixtures("loud")
@pytest.mark.parametrize("speed", [None, 120.0])
def test_a_replay_finds_what_a_batch_finds_at_its_pace(
    full_drop: Path, config: Config, speed: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    span, commits = _span(2, 8), []
    commit = Ledger.commit

    def counted(self: Ledger, step: Step, model: str) -> None:
        commits.append(time.monotonic())
        commit(self, step, model)

    monkeypatch.setattr(Ledger, "commit", counted)
    assert run(config, until_idle=True, replay=Replay(span, speed=speed)) == 0
    store, found = config.store.path, _batch(full_drop, span)
    assert stored_scores(store) == found["scores"]
    fields = found["events"][0].keys()
    events = [{field: event[field] for field in fields} for event in stored_events(store)]
    assert events == found["events"]
    assert [file["state"] for file in stored_files(store)] == ["done"] * 3
    assert len(found["events"]) > 1
    if speed:
        took_s = commits[-1] - commits[0]
        assert took_s >= 0.9 * 360 / speed
        assert len(commits) > 3 * took_s  # some a second: smoothly
