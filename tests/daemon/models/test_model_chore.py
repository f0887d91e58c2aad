"""What the champion is, is seen; what must not score never does; what may, does in the end."""

from __future__ import annotations

import errno
import gc
import json
import os
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.config import Config
from detector.scoring.score import Scorer
from tests.daemon.bench import bench_on
from tests.daemon.models.chore import Chore, chore_on
from tests.daemon.models.made import SPOILT, flipped, judged, of_another_rate, registry_of
from tests.daemon.scrapes import value_of


def test_the_champion_scores_and_says_who_chose_it(config: Config) -> None:
    with chore_on(config) as chore:
        (a, b), before = chore.ids, chore.model
        assert before.startswith("ocean-v1-")
        chore.registry.promote(a, reason="quieter nights")
        chore.look(lambda: chore.model == a)
        chore.registry.promote(b, by="retrain", rival=a)
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
    with chore_on(config, champion=0) as chore:
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
    with chore_on(config, champion=0) as chore:
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


def test_a_foreign_line_of_the_history_keeps_nobody_down(config: Config) -> None:
    """With a broken champion besides, so that the history is what remains."""
    registry, (a, b) = registry_of(config.store.path, "a", "b")
    registry.promote(a)
    flipped(registry.folder(a))
    history = registry.path / "history.jsonl"
    foreign = json.dumps({"time": "2026", "model": "foo", "previous": None, "by": "promote"})
    history.write_text(f"{foreign}\n{history.read_text()}")
    with bench_on(config.drop.path, config.store.path) as bench:
        chore = Chore(bench, config, registry, [a, b])
        assert (chore.model[:9], chore.counted("hash")) == ("ocean-v1-", 1.0)


def test_a_spoilt_link_is_refused_once_by_its_name(config: Config) -> None:
    registry, ids = registry_of(config.store.path, "a", "b")
    registry.promote(ids[0])
    link = registry.path / "current"
    link.unlink()
    link.symlink_to(registry.folder(ids[0]))
    with bench_on(config.drop.path, config.store.path) as bench, capture_logs() as said:
        chore = Chore(bench, config, registry, ids)
        chore.pass_by(5)
        assert (chore.model, chore.counted("other")) == (ids[0], 1.0)
        assert [line["refused"] for line in said] == ["current"]
        assert str(link) in str(chore.switch.trouble)
        registry.promote(ids[1])
        chore.look(lambda: chore.model == ids[1])
        assert chore.switch.trouble is None


def _unreadable(patch: pytest.MonkeyPatch, folder: Path, error: BaseException) -> None:
    opened = os.open

    def failing(path: str | Path, *more: Any, **named: Any) -> int:
        if Path(path).parent == folder:
            raise error
        return opened(path, *more, **named)

    patch.setattr(os, "open", failing)


@pytest.mark.parametrize(
    "error", [OSError(errno.EMFILE, "Too many"), OSError(errno.EIO, "I/O"), MemoryError()], ids=repr
)
def test_what_fails_for_the_systems_sake_is_tried_again(
    error: BaseException, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chore_on(config, champion=0) as chore, capture_logs() as said:
        a, b = chore.ids
        chore.registry.promote(b)
        _unreadable(monkeypatch, chore.registry.folder(b), error)
        chore.look(lambda: chore.switch.trouble)
        chore.look(lambda: chore.loads > 2)
        chore.pass_by(400)
        assert chore.loads < 20  # with growing pauses, not at each look
        assert (chore.model, chore.switch.trouble is None) == (a, False)
        monkeypatch.undo()
        chore.look(lambda: chore.model == b)
        assert chore.switch.trouble is None
    assert [line["log_level"] for line in said] == ["error", "info"]


def test_a_champion_that_a_start_could_not_read_scores_once_it_can_be(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, (a, b) = registry_of(config.store.path, "a", "b")
    registry.promote(a)
    registry.promote(b)
    _unreadable(monkeypatch, registry.folder(b), OSError(errno.EIO, "I/O"))
    with bench_on(config.drop.path, config.store.path) as bench:
        chore = Chore(bench, config, registry, [a, b])
        assert (chore.model, chore.switch.trouble is None) == (a, False)
        monkeypatch.undo()
        chore.look(lambda: chore.model == b)


def test_a_folder_that_cannot_be_looked_into_is_no_model_that_is_well(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with chore_on(config, champion=0) as chore:
        chore.registry.promote(chore.ids[1])
        monkeypatch.setattr("daemon.models.switching.stamp_of", closed)
        chore.look(lambda: chore.model == chore.ids[1])


def test_a_model_that_loads_for_ever_is_told(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.models.switching._DEADLINE_S", 0.0)
    gate = threading.Event()
    with chore_on(config, champion=0) as chore:
        load = chore.loading.load
        monkeypatch.setattr(chore.loading, "load", lambda model: (gate.wait(60), load(model))[1])
        chore.registry.promote(chore.ids[1])
        chore.look(lambda: "no answer" in str(chore.switch.trouble))
        assert chore.model == chore.ids[0]
        gate.set()
        chore.look(lambda: chore.model == chore.ids[1])
        assert chore.switch.trouble is None


def test_switching_all_day_keeps_no_model_but_the_one_that_scores(config: Config) -> None:
    scorers: list[weakref.ref[Scorer]] = []
    with chore_on(config, champion=0) as chore:
        for k in range(1, 6):
            chore.registry.promote(chore.ids[k % 2])
            chore.look(lambda k=k: chore.model == chore.ids[k % 2])  # type: ignore[misc]
            scorers.append(weakref.ref(chore.switch.scorer))
        gc.collect()
        assert [scorer() is None for scorer in scorers] == [True] * 4 + [False]
