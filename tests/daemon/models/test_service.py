"""The daemon goes from model to model while it runs, and at a start."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from acoio.errors import SetupError
from daemon.config import Config, load_config
from daemon.health.status import status
from daemon.health.status_lines import status_lines
from daemon.ledger.stored import reading, stored_events
from daemon.service.assembly import assemble
from daemon.service.run import run
from tests.daemon.bench import bench_on
from tests.daemon.conftest import sets_of
from tests.daemon.fakes import LoudnessScorer
from tests.daemon.models.made import flipped, registry_of
from tests.daemon.models.test_switching import scores_of, switch_by_hand
from tests.daemon.service.test_loop import _Once

pytestmark = pytest.mark.usefixtures("loud")


def _said(store: Path) -> list[dict[str, Any]]:
    """Return what was said of models, in order."""
    query = "SELECT json FROM outbox WHERE type = 'kilokai.v1.model' ORDER BY sequence"
    with reading(store) as database:
        return [json.loads(text)["data"] for (text,) in database.execute(query)]


def test_a_running_daemon_takes_each_champion_over(config: Config, full_drop: Path) -> None:
    store = config.store.path
    registry, (first,) = registry_of(store, "first")
    with ExitStack() as stack:
        loop = assemble(stack, config).loop
        loop.run(_Once(lambda: status(store)["files"].get("done")), until_idle=False)
        registry.promote(first, reason="by hand")
        loop.run(_Once(lambda: status(store)["model"] == first), until_idle=False)
        found = status(store)
        assert (found["well"], found["model_from"]) == (True, "registry")
        assert any(first in line and "registry" in line for line in status_lines(found))
        registry.rollback()
        loop.run(_Once(lambda: status(store)["model"] == "loudness"), until_idle=False)
        assert loop.run(_Once(lambda: False), until_idle=True) == 0
    assert [(one["model"], one["previous"], one["by"]) for one in _said(store)] == [
        ("loudness", None, "configuration"),
        (first, "loudness", "promote"),
        ("loudness", first, "rollback"),
    ]
    found = scores_of(store)
    assert len({begin for scores in found.values() for begin in scores}) == sum(
        map(len, found.values())
    )
    assert {event["model"] for event in stored_events(store)} <= {"loudness", first}


def test_a_start_lets_the_champion_score_and_ends_what_the_former_one_left_open(
    config: Config, full_drop: Path
) -> None:
    store = config.store.path
    registry, (first,) = registry_of(store, "first")
    with bench_on(full_drop, store) as bench:
        switch_by_hand(bench, LoudnessScorer())
        while not bench.ledger.open_events():
            assert not bench.work(1)
        (before,) = bench.ledger.open_events()
    registry.promote(first)
    assert run(config, until_idle=True) == 0
    ended = next(event for event in stored_events(store) if event["id"] == before["id"])
    assert (ended["status"], ended["model"]) == ("closed", "loudness")
    assert ended["end"] > before["end"]
    assert _said(store)[-1]["model"] == first
    assert scores_of(store).keys() == {"loudness", first}


def test_a_start_without_a_sound_champion_is_loud_and_scores_all_the_same(
    config: Config, full_drop: Path
) -> None:
    store = config.store.path
    registry, (first,) = registry_of(store, "first")
    registry.promote(first)
    flipped(registry.folder(first))
    with capture_logs() as said, ExitStack() as stack:
        loop = assemble(stack, config).loop
        loop.run(_Once(lambda: status(store)["model"]), until_idle=False)
        (complaint,) = status(store)["complaints"]
        assert "SHA-256" in complaint
        assert complaint.endswith("; loudness scores")
    assert [line["log_level"] for line in said].count("error") == 1
    (message,) = _said(store)
    assert (message["model"], message["by"]) == ("loudness", "fallback")
    assert first in message["reason"]


def test_where_no_model_loads_the_daemon_does_not_start(
    config: Config, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    store = config.store.path
    registry, (first,) = registry_of(store, "first")
    registry.promote(first)
    flipped(registry.folder(first))
    away = load_config(None, [*sets_of(drop, store), "detector.model=/nowhere"], {})
    with pytest.raises(SetupError, match=r"(?s)SHA-256.*/nowhere"):
        run(away, until_idle=True)
