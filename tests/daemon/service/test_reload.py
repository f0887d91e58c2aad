"""A daemon that is given another configuration while it hears."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from contextlib import ExitStack
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from acoio.errors import SetupError
from daemon.config import Config, load_config
from daemon.health.status import status
from daemon.health.status_file import last_said
from daemon.ledger.stored import stored_events, stored_files, stored_scores
from daemon.service.assembly import Service, assemble
from daemon.service.reload import Live, Reload
from daemon.service.signals import Again, signals
from daemon.settings.keys import keys
from daemon.settings.live import is_live
from tests.daemon.conftest import sets_of, until
from tests.daemon.sea import Sea
from tests.daemon.test_process import _deliver, _running

_LIVE = {
    "drop.settle_s": 7.0,
    "drop.rescan_s": 0.9,
    "store.messages_days": 3.0,
    "bus.heartbeat_s": 0.7,
    "alerts.most_per_hour": 5,
    "evidence.clips": True,
    "evidence.pictures": True,
    "evidence.context_s": 2.0,
    "evidence.keep_days": 4.0,
    "evidence.keep_gb": 0.5,
    "evidence.min_free_gb": 0.25,
}


class _Written:
    """A configuration that may be written anew; `asked` says that it was."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.sets = sets_of(config.drop.path, folder)
        self.again = Again(lambda: load_config(None, self.sets, {}))

    def ask(self, service: Service, *sets: str) -> list[Any]:
        self.sets += sets
        self.again.asked.set()
        with capture_logs() as said:
            service.loop.attend(0.0)
        return [line for line in said if line["event"].startswith("configuration")]


@pytest.mark.usefixtures("loud")
def test_every_live_key_reaches_its_part(config: Config) -> None:
    live = {key.path for key in keys() if is_live(key.path)}
    assert set(_LIVE) == {path for path in live if not path.startswith("retrain.")}
    written = _Written(config, config.store.path)
    with ExitStack() as stack:
        service = assemble(stack, config, None, written.again)
        (line,) = written.ask(service, *(f"{k}={str(v).lower()}" for k, v in _LIVE.items()))
        assert set(line["changed"]) == set(_LIVE)
        assert line["restart_for"] == ()
        parts, evidence = service.loop._parts, service.evidence
        assert parts.lookout._rescan_s == service.loop._patience.first_s == 0.9
        assert parts.lookout._arrivals._settle_s == 7.0
        assert parts.pipeline._keeper._station.most_per_hour == 5
        assert parts.heart._heartbeat_s == service.status_file._heartbeat_s == 0.7
        assert (evidence._settings.clips, evidence._settings.pictures) == (True, True)
        assert evidence._work.place["context_s"] == 2.0
        limits = evidence._limits
        assert (limits.keep_days, limits.keep_bytes, limits.min_free_bytes) == (4, 5e8, 2.5e8)
        old = next(chore for chore in parts.chores if hasattr(chore, "_age"))
        assert old._age.days == 3


class _Read:
    """A configuration that knows which of its keys, or whole tables, were taken."""

    def __init__(self, values: BaseModel, taken: set[str], table: str = "") -> None:
        self._values, self._taken, self._table = values, taken, table

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._values, name)
        if isinstance(value, BaseModel):
            self._taken.add(f"{name}.")
            return _Read(value, self._taken, f"{name}.")
        self._taken.discard(self._table)
        self._taken.add(self._table + name)
        return value


def test_what_is_brought_to_the_parts_is_what_is_called_live(config: Config) -> None:
    taken: set[str] = set()
    Live(*(Mock() for _ in fields(Live))).take(cast(Config, _Read(config, taken)))
    brought = {key.path for key in keys() if key.path.startswith(tuple(taken))}
    live = {key.path for key in keys() if is_live(key.path)}
    assert brought == {path for path in live if not path.startswith("retrain.")}


@pytest.mark.usefixtures("loud")
def test_what_wants_a_restart_is_named_until_it_is_taken_back(config: Config) -> None:
    written = _Written(config, config.store.path)
    with ExitStack() as stack:
        service = assemble(stack, config, None, written.again)
        (line,) = written.ask(service, "detector.false_alarms_per_hour=2", "drop.settle_s=1")
        assert (line["changed"], line["restart_for"]) == (
            ("drop.settle_s",), ("detector.false_alarms_per_hour",)
        )  # fmt: skip
        (line,) = written.ask(service)
        assert (line["changed"], line["restart_for"]) == ((), ("detector.false_alarms_per_hour",))
        service.status_file.do(time.monotonic())
        restart_for = last_said(config.store.path)[0]["config"]["restart_for"]
        assert restart_for == ["detector.false_alarms_per_hour"]
        (line,) = written.ask(service, "detector.false_alarms_per_hour=1")
        assert line["restart_for"] == ()


@pytest.mark.usefixtures("loud")
def test_a_wrong_configuration_changes_nothing_and_tells_every_fault(config: Config) -> None:
    written = _Written(config, config.store.path)
    with ExitStack() as stack:
        service = assemble(stack, config, None, written.again)
        wrong = ("drop.settle_s=5", "alerts.most_per_hour=-1", "alerts.most=1")
        (line,) = written.ask(service, *wrong)
        assert line["event"] == "configuration not reloaded: nothing was changed"
        assert len(line["faults"]) == 2
        assert service.loop._parts.lookout._arrivals._settle_s == 0.3
        service.status_file.do(time.monotonic())
        assert len(last_said(config.store.path)[0]["config"]["faults"]) == 2
        written.sets = written.sets[: -len(wrong)]
        (line,) = written.ask(service)
        assert line["event"] == "configuration reloaded"
        service.status_file.do(time.monotonic() + 1.0)
        assert last_said(config.store.path)[0]["config"]["faults"] == []


def test_files_that_guard_the_metrics_are_read_again_each_time_and_a_bad_one_is_told(
    config: Config,
) -> None:
    again = Again(lambda: config)
    renew = Mock()
    reload = Reload(config, again, renew=renew)
    for error in (None, SetupError("metrics.certificate: found none"), None):
        renew.side_effect = error
        again.asked.set()
        reload.do(0.0)
        faults = reload.said()["config"]["faults"]
        assert faults == ([str(error)] if error else [])
    assert renew.call_count == 3


def test_a_signal_sets_what_was_given_and_the_former_handler_comes_back() -> None:
    former = signal.getsignal(signal.SIGHUP)
    with signals(signal.SIGHUP) as came:
        os.kill(os.getpid(), signal.SIGHUP)
        assert came.wait(90)
    assert signal.getsignal(signal.SIGHUP) is former


@pytest.fixture
def settings(drop: Path, tmp_path: Path) -> Path:
    file, folder = tmp_path / "kilokai.toml", tmp_path
    file.write_text(
        f"[drop]\npath = '{drop}'\nsettle_s = 0.5\nrescan_s = 0.2\n"
        f"[store]\npath = '{folder / 'store'}'\n"
        "[bus]\npublish = 'tcp://127.0.0.1:0'\nreplay = 'tcp://127.0.0.1:0'\nheartbeat_s = 0.2\n"
        "[metrics]\nlisten = '127.0.0.1:0'\n[evidence]\nclips = false\npictures = false\n"
        "[alerts]\nmost_per_hour = 60\n"
    )
    return file


def test_a_process_that_is_asked_again_and_again_loses_no_window(
    settings: Path, drop: Path, sea: Sea, heard: Path, tmp_path: Path
) -> None:
    store, files, right = tmp_path / "store", list(sea.cut()), settings.read_text()
    with _running(settings) as process:
        until(lambda: last_said(store)[0].get("pid") == process.pid, deadline_s=60)
        enough = threading.Event()

        def ask() -> None:
            k = 0
            while not enough.wait(0.05):
                k += 1
                text = right if k % 3 else "[drop]\nsettle_s = 'x'\n[nonsense]\n"
                (tmp_path / "new").write_text(text.replace("0.5", f"0.{5 + k % 4}"))
                (tmp_path / "new").replace(settings)
                process.send_signal(signal.SIGHUP)

        asker = threading.Thread(target=ask)
        asker.start()
        for k, file in enumerate(files):
            _deliver(drop, [file])
            until(partial(_has_file, store, k + 1), deadline_s=60)
        until(lambda: status(store)["files"]["done"] == len(files), deadline_s=60)
        enough.set()
        asker.join(5)
        last = "most_per_hour = 0\n[detector]\nthreads = 2"
        settings.write_text(right.replace("most_per_hour = 60", last))
        process.send_signal(signal.SIGHUP)
        until(lambda: last_said(store)[0]["config"]["restart_for"] == ["detector.threads"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    changed = [line["changed"] for line in lines if line["event"] == "configuration reloaded"]
    assert ["drop.settle_s"] in changed
    assert "alerts.most_per_hour" in changed[-1]
    refused = [line["faults"] for line in lines if line["event"].startswith("configuration not")]
    assert any("did you mean" in fault or "nonsense: found" in fault for fault in refused[0])
    assert len(refused[0]) == 3
    unasked = heard / "store"
    assert stored_scores(store) == stored_scores(unasked)
    assert [e["id"] for e in stored_events(store)] == [e["id"] for e in stored_events(unasked)]


def _has_file(store: Path, count: int) -> bool:
    return len(stored_files(store)) == count
