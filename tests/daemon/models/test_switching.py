"""The champion scores from one step to the next, and what must not score never does."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from acoio.clock import from_us
from acoio.errors import NotReadyError
from daemon.config import Config
from daemon.hearing import Listen
from daemon.ledger import Ledger
from daemon.models.loading import Loading
from daemon.models.registry import Registry
from daemon.models.switching import ModelSwitch, switch_draft
from daemon.stored import reading, stored_events
from detector import load_model
from detector.listen import Listener
from detector.score import Scorer
from detector.values import Score, Window, iso
from tests.daemon.bench import Bench, bench_on
from tests.daemon.conftest import until
from tests.daemon.fakes import LoudnessScorer
from tests.daemon.models.made import SPOILT, flipped, judged, of_another_rate, registry_of
from tests.daemon.scrapes import value_of


class Louder(LoudnessScorer):
    """Another model: it gives half as much again, and wants more."""

    def __init__(self, **features: Any) -> None:
        super().__init__(threshold=4.0)
        self.model = "louder"
        self.features = replace(self.features, **features)

    def score(self, windows: list[Window]) -> list[Score]:  # type: ignore[override]
        return [replace(s, score=1.5 * s.score + 0.125) for s in super().score(windows)]


def listen_by(scorer: Any) -> Listen:
    def listen(state: Mapping[str, Any]) -> Listener:
        return Listener(scorer, station="aco", state=state)

    return listen


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


# The chore, with models of the real kind -------------------------------------------------


class Chore:
    """A switch that is driven by hand, on a registry of two models."""

    def __init__(self, bench: Bench, config: Config, registry: Registry, ids: list[str]) -> None:
        self.bench, self.registry, self.ids = bench, registry, ids
        self.loading = Loading(config, registry, lambda: load_model(config.detector.model))
        first, self.loads = self.loading.first(), 0
        draft = switch_draft(first.scorer, previous=None, by="configuration", reason="")
        self.switch = ModelSwitch(
            first,
            self.loading,
            pipeline=bench.pipeline,
            metrics=bench.metrics,
            listen=listen_by,
        )
        bench.pipeline.switch(listen_by(first.scorer), draft, model=first.scorer.model)
        self._now_s = 0.0
        self.loading.load = self._counting(self.loading.load)  # type: ignore[method-assign, assignment]

    def _counting(self, load: Callable[[str | None], Scorer]) -> Callable[[str | None], Scorer]:
        def counted(model: str | None) -> Scorer:
            self.loads += 1
            return load(model)

        return counted

    @property
    def model(self) -> str:
        return self.switch.scorer.model

    def look(self, fact: Callable[[], object]) -> None:
        """Do what is due again and again until a fact holds."""

        def done() -> object:
            self.pass_by()
            return fact()

        until(done)

    def pass_by(self, times: int = 1) -> None:
        for _ in range(times):
            self._now_s += 10
            self.switch.do(self._now_s)

    def counted(self, reason: str) -> float | None:
        name = "kilokai_model_load_failures_total"
        return self.bench.metrics.registry.get_sample_value(name, {"reason": reason})

    def said(self) -> list[dict[str, Any]]:
        """Return the data of every message that another model scores."""
        sent = [json.loads(message.text) for message in self.bench.sent]
        return [one["data"] for one in sent if one["type"] == "kilokai.v1.model"]


@contextmanager
def _chore(config: Config, champion: int | None = None) -> Iterator[Chore]:
    registry, ids = registry_of(config.store.path, "a", "b")
    if champion is not None:
        registry.promote(ids[champion])
    with bench_on(config.drop.path, config.store.path) as bench:
        yield Chore(bench, config, registry, ids)


def test_the_champion_scores_and_says_who_chose_it(config: Config) -> None:
    with _chore(config) as chore:
        (a, b), before = chore.ids, chore.model
        assert before.startswith("ocean-v1-")
        chore.registry.promote(a, reason="quieter nights")
        chore.look(lambda: chore.model == a)
        chore.registry.promote(b, by="retrain")
        chore.look(lambda: chore.model == b)
        chore.registry.rollback()
        chore.look(lambda: chore.model == a)
        chore.registry.rollback()
        chore.look(lambda: chore.model == before)
        chore.pass_by(5)
        wanted = [(a, "promote"), (b, "retrain"), (a, "rollback"), (before, "rollback")]
        assert [(one["model"], one["by"]) for one in chore.said()[1:]] == wanted
        assert chore.said()[1]["reason"] == "quieter nights"
        get = chore.bench.metrics.registry.get_sample_value
        assert get("kilokai_model_switches_total") == 4
        assert get("kilokai_model_info", {"model": before}) == 1
        assert get("kilokai_model_info", {"model": a}) is None
        assert get("kilokai_threshold") == chore.switch.scorer.threshold
        assert chore.bench.ledger.model == before


@pytest.mark.parametrize(
    "kind",
    ["a bit flipped", "a pickle", "other golden scores", "no folder", "another rate", "no link"],
)
def test_a_model_that_must_not_score_is_refused_once_and_the_old_one_goes_on(
    kind: str, config: Config, tmp_path: Path
) -> None:
    with _chore(config, champion=0) as chore:
        (a, b), link = chore.ids, chore.registry.path / "current"
        reason = {"no folder": "missing", "another rate": "rate", "no link": "other"}.get(kind)
        target = b
        if reason is None:
            spoil, reason = SPOILT[kind]
            spoil(chore.registry.folder(b))
        elif kind == "another rate":
            target = chore.registry.register(of_another_rate(tmp_path), judged())
        else:
            target = "gone-00000000" if kind == "no folder" else "/etc"
        link.unlink()
        link.symlink_to(target)
        with capture_logs() as said:
            chore.look(lambda: chore.counted(reason))
            chore.pass_by(20)
        assert [line["log_level"] for line in said] == ["error"]
        assert (chore.counted(reason), chore.model) == (1.0, a)
        assert chore.loads == (kind != "no link")
        assert chore.switch.said()["model_trouble"]
        assert value_of(chore.bench.metrics, "kilokai_model_refused") == 1
        assert len(chore.said()) == 1
        link.unlink()
        link.symlink_to(a)
        chore.pass_by()
        assert chore.switch.said()["model_trouble"] is None
        assert value_of(chore.bench.metrics, "kilokai_model_refused") == 0


def test_a_model_that_is_made_whole_again_scores(config: Config) -> None:
    with _chore(config, champion=0) as chore:
        b, path = chore.ids[1], chore.registry.folder(chore.ids[1]) / "model.safetensors"
        whole = path.read_bytes()
        chore.registry.promote(b)
        flipped(path.parent)
        chore.look(lambda: chore.counted("hash"))
        path.write_bytes(whole)
        chore.look(lambda: chore.model == b)
        assert chore.switch.trouble is None


def test_a_start_falls_back_to_the_champion_before_and_says_so(config: Config) -> None:
    registry, (a, b) = registry_of(config.store.path, "a", "b")
    registry.promote(a)
    registry.promote(b)
    flipped(registry.folder(b))
    with bench_on(config.drop.path, config.store.path) as bench, capture_logs() as said:
        chore = Chore(bench, config, registry, [a, b])
        chore.pass_by(5)
        assert (chore.model, chore.counted("hash")) == (a, 1.0)
        assert value_of(bench.metrics, "kilokai_model_refused") == 1
        first = chore.loading.first()
        by, reason = first.why(registry)
        assert by == "fallback"
        assert "SHA-256" in reason
        assert [line["log_level"] for line in said] == ["error"]
        flipped(registry.folder(a))
        assert chore.loading.first().scorer.model.startswith("ocean-v1-")


def test_switching_all_day_keeps_no_model_but_the_one_that_scores(config: Config) -> None:
    scorers: list[weakref.ref[Scorer]] = []
    with _chore(config, champion=0) as chore:
        for k in range(1, 6):
            chore.registry.promote(chore.ids[k % 2])
            chore.look(lambda k=k: chore.model == chore.ids[k % 2])  # type: ignore[misc]
            scorers.append(weakref.ref(chore.switch.scorer))
        gc.collect()
        assert [scorer() is None for scorer in scorers] == [True] * 4 + [False]
