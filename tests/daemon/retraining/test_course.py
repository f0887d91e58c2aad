"""A retraining ends in one word, and whatever befalls it the registry stays whole."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from acoio.errors import NotReadyError, SetupError
from daemon.cli.app import app
from daemon.config import Config
from daemon.locks import locked
from daemon.models.registry import Registry
from daemon.retraining import course
from daemon.retraining.course import retrain
from daemon.retraining.figures import Figures
from daemon.retraining.measuring import Contest
from daemon.retraining.state import KILLED, LOCK_FILE, read_state
from detector.calibration.drift import Reference
from detector.scoring.checkpoint import read_card, read_model
from detector.values import iso
from tests.daemon.retraining import bench
from tests.daemon.retraining.test_known import verdict


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a drop and the champion `old`."""
    folder = tmp_path_factory.mktemp("station")
    (folder / "drop").mkdir()
    bench.write_days(folder / "drop")
    bench.make_champion(folder / "old", folder / "drop")
    return folder


@pytest.fixture
def config(station: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    bench.make_quick(monkeypatch)
    bench.hear(tmp_path / "store", station / "drop")
    return bench.config_of(station / "drop", tmp_path / "store", station / "old")


def _flood(minute: int) -> dict[str, Any]:
    """Return one of so many events that every evening is busy."""
    begin = bench.EVENING + timedelta(days=minute % bench.DAYS, seconds=10 * minute)
    return {
        "id": f"{minute:016x}",
        "status": "closed",
        "begin": iso(begin),
        "end": iso(begin + timedelta(seconds=4)),
        "low_hz": 100.0,
        "high_hz": 300.0,
    }


def test_a_candidate_that_is_no_worse_scores_from_then_on_and_the_same_seed_makes_it_again(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = config.store.path
    before = (store / "ledger.sqlite3").read_bytes()
    found = bench.last(retrain(config, seed=1))
    assert (found.outcome, found.reasons) == ("accepted", ())
    registry = Registry(store)
    assert registry.current() == found.candidate
    (entry,) = registry.entries()
    assert entry.verdict is not None and entry.verdict.accepted
    assert entry.verdict.champion == found.champion
    assert entry.card["training"]["start"] == found.champion
    (switch,) = registry.history()
    assert (switch.by, switch.model) == ("retrain", found.candidate)
    state = read_state(store)
    assert state is not None
    assert (state.outcome, state.candidate, state.accepted_at) == (
        "accepted",
        found.candidate,
        state.end,
    )
    assert (store / "ledger.sqlite3").read_bytes() == before

    shutil.rmtree(store / "models")
    monkeypatch.setattr(course, "measured", bench.quickly)
    assert bench.last(retrain(config, seed=1)).candidate == found.candidate


def test_later_ones_are_measured_against_the_first_model_of_the_station_too(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    contests: list[Contest] = []

    def noting(contest: Contest, _: Path) -> Generator[str, None, Figures]:
        contests.append(contest)
        return (yield from bench.quickly(contest))

    monkeypatch.setattr(course, "measured", noting)
    made = [bench.last(retrain(config, seed=seed)).candidate for seed in (1, 2, 3)]
    assert len(set(made)) == 3
    assert made[0]
    card = read_card(config.store.path / "models" / made[0])
    first = {"station's first model": Reference.from_json(card["reference"])}
    assert [len(contest.health) for contest in contests] == [2, 2, 4]  # newest days, newest day
    expected = contests[2].evenings.compared(first)
    assert len(expected) == 2
    assert expected.items() <= contests[2].health.items()
    assert [contest.first and contest.first.id for contest in contests] == [None, None, made[0]]


def test_a_hydrophone_that_died_is_refused_before_anything_is_learnt(
    config: Config, station: Path, tmp_path: Path
) -> None:
    drop = tmp_path / "dying"
    shutil.copytree(station / "drop", drop)
    for part in range(bench.FILES):
        begin = bench.EVENING + timedelta(days=bench.DAYS - 1, minutes=5 * part)
        bench.write_file(drop, begin, rms=300.0)
    events = [_flood(k) for k in range(90)]
    bench.hear(tmp_path / "other", drop, events=events)
    dying = bench.config_of(drop, tmp_path / "other", station / "old")
    found = bench.last(retrain(dying, seed=1))
    assert (found.outcome, found.candidate) == ("refused", None)
    assert all("the hydrophone hears less" in reason for reason in found.reasons)
    assert found.figures and found.figures["health"]
    assert Registry(dying.store.path).entries() == []


def test_another_hydrophone_is_compared_with_nothing_before_it(
    station: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop, store = tmp_path / "changed", tmp_path / "other"
    shutil.copytree(station / "drop", drop)
    bench.write_days(drop, rms=300.0, first=10)
    old, new = (bench.EVENING + timedelta(days=k) for k in (0, 13))
    events = [{**_flood(k), "begin": iso(begin)} for k, begin in enumerate((old, new))]
    bench.hear(store, drop, events=events, verdicts=[verdict(k, "confirmed") for k in range(2)])
    contests: list[Contest] = []

    def noting(contest: Contest, _: Path) -> Generator[str, None, Figures]:
        contests.append(contest)
        return (yield from bench.quickly(contest))

    monkeypatch.setattr(course, "measured", noting)
    places = drop, store, station / "old"
    found = bench.last(retrain(bench.config_of(*places), seed=1))
    assert found.outcome == "refused"
    assert "the hydrophone hears less" in found.reasons[0]
    changed = bench.config_of(*places, "retrain.since=2024-06-12")
    found = bench.last(retrain(changed, seed=1))
    assert found.outcome == "accepted"
    assert [call.begin for call in contests[0].known.confirmed] == [new]
    assert contests[0].since == datetime(2024, 6, 12, 10, tzinfo=UTC)
    data = read_card(store / "models" / str(found.candidate))["data"]
    assert min(span["begin"] for span in data["spans"].values()) >= "2024-06-12"
    for part in range(bench.FILES):  # and what it hears less from now on is told again
        begin = bench.EVENING + timedelta(days=13, minutes=5 * part)
        bench.write_file(drop, begin, rms=100.0)
    again = bench.last(retrain(changed, seed=1))
    assert again.outcome == "refused"
    assert "the hydrophone hears less" in again.reasons[0]


@pytest.mark.parametrize(("month", "outcome"), [(6, "too_little"), (1, "out_of_season")])
def test_a_change_after_all_sound_is_said(config: Config, month: int, outcome: str) -> None:
    later = {"since": date(2025, 1, 1), "months": (month,)}
    retrain_ = config.retrain.model_copy(update=later)
    found = bench.last(retrain(config.model_copy(update={"retrain": retrain_}), seed=1))
    assert found.outcome == outcome
    assert "found under two hours of recordings since 2025-01-01" in found.reasons[0]


def test_files_that_are_dated_far_ahead_are_left_out_and_said(
    config: Config, station: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "ahead"
    shutil.copytree(station / "drop", drop)
    ahead = bench.EVENING + timedelta(days=20_000)
    astray = [bench.write_file(drop, ahead + timedelta(minutes=5 * k)) for k in range(3)]
    bench.hear(tmp_path / "other", drop)
    monkeypatch.setattr(course, "measured", bench.quickly)
    lines = retrain(bench.config_of(drop, tmp_path / "other", station / "old"), seed=1)
    told = [next(lines) for _ in range(2)]
    assert f"left out 3 files after 2024-06-06--04.10.HYD24BBpk, up to {astray[-1].name}" in told[1]
    assert bench.last(lines).outcome == "accepted"


def test_what_the_gate_refuses_is_kept_with_its_reasons_and_the_champion_stays(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "measured", bench.quickly)
    monkeypatch.setattr(course, "reasons_against", lambda _: ("it is no good",))
    found = bench.last(retrain(config, seed=1))
    assert (found.outcome, found.reasons) == ("refused", ("it is no good",))
    registry = Registry(config.store.path)
    assert registry.current() is None
    (entry,) = registry.entries()
    assert entry.verdict is not None and entry.verdict.reasons == ("it is no good",)
    state = read_state(config.store.path)
    assert state is not None and state.refused_in_a_row == 1


def test_a_training_that_diverged_is_refused(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = replace(bench.TRAINING, phase2_rate=1e30)
    monkeypatch.setattr(course, "_FRESH", wild)
    afresh = config.retrain.model_copy(update={"start": "afresh"})
    found = bench.last(retrain(config.model_copy(update={"retrain": afresh}), seed=1))
    assert found.outcome == "refused"
    assert "not finite" in found.reasons[0]
    assert Registry(config.store.path).current() is None


@pytest.mark.parametrize(
    ("months", "outcome"), [("[5, 6, 7]", "too_little"), ("[1]", "out_of_season")]
)
def test_too_little_sound_is_told_by_the_command_in_words(
    config: Config, station: Path, months: str, outcome: str
) -> None:
    words = [f"drop.path={station / 'drop'}", f"store.path={config.store.path}"]
    sets = [
        word for key in (*words, f"detector.model={station / 'old'}") for word in ("--set", key)
    ]
    rate = ["--set", f"detector.false_alarms_per_hour={bench.RATE}"]
    season = ["--set", f"retrain.months={months}"]
    done = CliRunner().invoke(app, ["retrain", "--json", *sets, *rate, *season])
    assert done.exit_code == 0  # as it should be in a station's first weeks: no unit fails by it
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["outcome"] == outcome
    assert "h of sound, wanted 24 h" in said["reasons"][0]
    state = read_state(config.store.path)
    assert state is not None and state.outcome == outcome


@pytest.mark.parametrize(
    ("hours", "rate", "words"),
    [
        (
            10,
            1.0,
            "calibration_hours: found 10, wanted 10.1 or more to promise",
        ),
        (
            40,
            0.3,
            "calibration_hours: found 40, wanted 50.1 or more to promise",
        ),
        (2400, 0.01, "false_alarms_per_hour: found 0.01, wanted 0.1 to 20"),
    ],
)
def test_what_no_candidate_could_promise_is_told_at_once_and_kept(
    config: Config, hours: float, rate: float, words: str
) -> None:
    wanted = config.retrain.model_copy(update={"calibration_hours": hours})
    detector = config.detector.model_copy(update={"false_alarms_per_hour": rate})
    config = config.model_copy(update={"retrain": wanted, "detector": detector})
    with pytest.raises(SetupError, match=words):
        next(retrain(config, seed=1))
    state = read_state(config.store.path)
    assert state is not None and (state.outcome, state.champion) == ("failed", "old")
    assert words in state.reasons[0]


def test_a_champion_that_cannot_be_told_is_kept_as_a_failure(config: Config) -> None:
    (config.store.path / "models").mkdir()
    (config.store.path / "models" / "current").write_text("spoilt")
    with pytest.raises(SetupError):
        next(retrain(config, seed=1))
    state = read_state(config.store.path)
    assert state is not None and (state.outcome, state.champion) == ("failed", None)


def test_two_never_overlap(config: Config) -> None:
    store = config.store.path
    with locked(store / LOCK_FILE), pytest.raises(NotReadyError, match=r"process \d+ retrains"):
        next(retrain(config, seed=1))
    assert read_state(store) is None


def test_a_failure_is_told_and_leaves_nothing(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")  # as a full disk does

    monkeypatch.setattr(course, "write_model", full)
    with pytest.raises(NotReadyError) as error:
        bench.last(retrain(config, seed=1))
    state = read_state(config.store.path)
    assert state is not None and (state.outcome, state.reasons) == ("failed", (str(error.value),))
    assert "No space left on device" in str(error.value)
    assert not list((config.store.path / "models").glob(".new-*"))


def test_without_a_ledger_nobody_knows_what_is_typical(config: Config) -> None:
    (config.store.path / "ledger.sqlite3").unlink()
    with pytest.raises(SetupError, match="found no ledger"):
        bench.last(retrain(config, seed=1))


def test_killed_before_it_is_champion_a_candidate_waits_in_the_registry(
    config: Config, station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = config.store.path
    bench.killed_after(bench.REGISTERED, station / "drop", store, station / "old")
    registry = Registry(store)
    assert registry.current() is None
    (entry,) = registry.entries()
    assert (entry.fault, entry.verdict and entry.verdict.accepted) == ("", True)
    state = read_state(store)
    assert state is not None and (state.outcome, state.reasons) == ("failed", (KILLED,))
    monkeypatch.setattr(course, "measured", bench.quickly)
    found = bench.last(retrain(config, seed=1))
    assert (found.outcome, found.candidate) == ("accepted", entry.id)  # the same seed and sound
    assert registry.current() == entry.id


def test_killed_it_leaves_the_registry_whole_and_the_next_one_works(
    config: Config, station: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = config.store.path
    bench.killed_after(bench.MEASURING, station / "drop", store, station / "old")
    state = read_state(store)
    assert state is not None and (state.outcome, state.reasons) == ("failed", (KILLED,))
    assert Registry(store).current() is None
    assert Registry(store).entries() == []
    monkeypatch.setattr(course, "measured", bench.quickly)
    found = bench.last(retrain(config, seed=1))
    assert found.outcome == "accepted"
    assert read_model(Registry(store).folder(str(found.candidate))).id == found.candidate
    assert not list((store / "models").glob(".new-*"))
