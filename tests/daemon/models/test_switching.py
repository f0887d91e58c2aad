"""The champion scores from one step to the next, and what must not score never does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acoio.clock import from_us
from acoio.errors import NotReadyError
from daemon.ledger.ledger import Ledger
from daemon.ledger.stored import reading, stored_events
from daemon.models.switching import switch_draft
from detector.values import Score, Window, iso
from tests.daemon.bench import Bench, bench_on
from tests.daemon.fakes import LoudnessScorer
from tests.daemon.models.chore import listen_by


class Louder(LoudnessScorer):
    """Another model: it gives half as much again, and wants more."""

    def __init__(self, **features: Any) -> None:
        super().__init__(threshold=4.0)
        self.model = "louder"
        self.features = replace(self.features, **features)

    def score(self, windows: list[Window]) -> list[Score]:  # type: ignore[override]
        return [replace(s, score=1.5 * s.score + 0.125) for s in super().score(windows)]


def switch_by_hand(bench: Bench, scorer: Any) -> None:
    draft = switch_draft(scorer, previous=bench.keeper.model, by="promote", reason="")
    bench.pipeline.switch(listen_by(scorer), draft, model=scorer.model)


_Scores = dict[int, tuple[int, float, float]]


def scores_of(store: Path) -> dict[str, _Scores]:
    """Return the scores of each model by the begin of their window."""
    with reading(store) as database:
        rows = database.execute("SELECT model, begin_us, end_us, score, threshold FROM scores")
        found: dict[str, _Scores] = {}
        for model, begin, *rest in rows:
            found.setdefault(model, {})[begin] = tuple(rest)
    return found


def _alone(drop: Path, store: Path, scorer: Any) -> tuple[_Scores, list[dict[str, Any]]]:
    with bench_on(drop, store) as bench:
        switch_by_hand(bench, scorer)
        bench.work()
        bench.pipeline.finish()
    return scores_of(store)[scorer.model], stored_events(store)


@pytest.fixture(scope="module")
def alone(heard: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, _Scores]:
    """What each model alone gives."""
    folder, found = tmp_path_factory.mktemp("alone"), {}
    for scorer in (LoudnessScorer(), Louder()):
        found[scorer.model], _ = _alone(heard / "drop", folder / scorer.model, scorer)
    return found


def _each_window_once(store: Path, alone: dict[str, _Scores]) -> int:
    """See that each window has the score of one of two models; return how many the first has."""
    found = scores_of(store)
    first, second = found.get("loudness", {}), found.get("louder", {})
    assert not first.keys() & second.keys()
    assert first.keys() | second.keys() == alone["loudness"].keys()
    for model, scores in found.items():
        assert scores.items() <= alone[model].items()
    assert max(first, default=0) < min(second)
    return len(first)


@pytest.mark.parametrize(
    ("steps", "past_records"), [(0, 352), (1, 352), (2, 352), (5, 352), (2, 300)]
)
def test_each_window_has_the_score_that_its_model_alone_gives(
    steps: int, past_records: int, full_drop: Path, tmp_path: Path, alone: dict[str, _Scores]
) -> None:
    """However far a file was read; with ears that hear alike, and with ears that do not."""
    louder = Louder(past_records=past_records)
    if past_records != 352:
        alone = {**alone, "louder": _alone(full_drop, tmp_path / "alone", louder)[0]}
    with bench_on(full_drop, tmp_path / "store") as bench:
        bench.work(steps)
        switch_by_hand(bench, louder)
        bench.work()
        bench.pipeline.finish()
    found = scores_of(tmp_path / "store")
    missing = alone["loudness"].keys() - found.get("loudness", {}).keys() - found["louder"].keys()
    assert not missing
    if past_records == 352:
        assert bool(_each_window_once(tmp_path / "store", alone)) == bool(steps > 1)
    assert found["louder"].items() <= alone["louder"].items()


def test_no_window_is_lost_though_the_sound_before_is_gone(
    full_drop: Path, tmp_path: Path, alone: dict[str, _Scores]
) -> None:
    with bench_on(full_drop, tmp_path / "store") as bench:
        first = sorted(full_drop.iterdir())[0]
        while not any(file.state == "done" for file in bench.ledger.files.values()):
            bench.work(1)
        first.unlink()
        switch_by_hand(bench, Louder())
        bench.work()
        bench.pipeline.finish()
    _each_window_once(tmp_path / "store", alone)


def test_an_event_ends_with_the_model_that_found_it(full_drop: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with bench_on(full_drop, store) as bench:
        while not bench.ledger.open_events():
            assert not bench.work(1)
        (before,) = bench.ledger.open_events()
        switch_by_hand(bench, Louder())
        assert (bench.ledger.open_events(), bench.ledger.lane("live").tracker) == ([], {})
        said = [json.loads(message.text) for message in bench.sent[-2:]]
        bench.work()
        bench.pipeline.finish()
    closed, model = said
    assert (closed["data"]["id"], closed["data"]["status"]) == (before["id"], "closed")
    assert closed["data"]["end"] > before["end"]
    assert closed["data"]["model"] == "loudness"
    assert {k: model["data"][k] for k in ("model", "previous", "threshold", "by")} == {
        "model": "louder", "previous": "loudness", "threshold": 4.0, "by": "promote"
    }  # fmt: skip
    assert model["sequence"] == closed["sequence"] + 1
    events = stored_events(store)
    assert {event["status"] for event in events} == {"closed"}
    assert {event["model"] for event in events} == {"loudness", "louder"}
    first = iso(from_us(min(scores_of(store)["louder"])))
    assert all(event["begin"] >= first for event in events if event["model"] == "louder")
    assert all(e["threshold"] == (4.0 if e["model"] == "louder" else 3.0) for e in events)


def test_a_switch_that_cannot_be_written_has_not_happened(
    full_drop: Path, tmp_path: Path, alone: dict[str, _Scores], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NotReadyError("ledger: database or disk is full")

    with bench_on(full_drop, tmp_path / "store") as bench:
        while not bench.ledger.open_events():
            assert not bench.work(1)
        with monkeypatch.context() as patch, pytest.raises(NotReadyError):
            patch.setattr(Ledger, "commit", full)
            switch_by_hand(bench, Louder())
        assert bench.keeper.model == "loudness"
        assert len(bench.ledger.open_events()) == 1
        bench.work()
        bench.pipeline.finish()
    assert scores_of(tmp_path / "store") == {"loudness": alone["loudness"]}


def test_sound_that_comes_late_is_scored_once_though_the_model_changed(
    full_drop: Path, tmp_path: Path, alone: dict[str, _Scores]
) -> None:
    late = sorted(full_drop.iterdir())[1]
    away = late.rename(tmp_path / late.name)
    with bench_on(full_drop, tmp_path / "store") as bench:
        bench.work()
        switch_by_hand(bench, Louder())
        away.rename(late)
        bench.work()
        bench.pipeline.finish()
    found = scores_of(tmp_path / "store")
    assert not found["loudness"].keys() & found["louder"].keys()
    assert found["loudness"].keys() | found["louder"].keys() == alone["louder"].keys()
