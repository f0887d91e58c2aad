"""The loop goes on, and says how it is, whatever drop and ledger refuse it."""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from acoio.errors import NotReadyError
from daemon.config import Config
from daemon.drop.arrivals import Plan
from daemon.drop.files import Drop
from daemon.evidence.chore import EvidenceChore
from daemon.health.status import status
from daemon.health.status_file import last_said
from daemon.health.status_lines import status_lines
from daemon.hearing.attempts import TRIES
from daemon.hearing.pipeline import Pipeline
from daemon.ledger.ledger import Ledger
from daemon.ledger.storage import NoRoomError
from daemon.progress import LaneState
from daemon.service.assembly import Service, assemble
from daemon.service.run import run
from tests.daemon.conftest import until
from tests.daemon.sea import noise

pytestmark = pytest.mark.usefixtures("loud")


class _Once(Event):
    """Set once a fact holds, which is looked at in each round."""

    def __init__(self, fact: Callable[[], object]) -> None:
        super().__init__()
        self._fact = fact
        self._end_s = time.monotonic() + 20

    def is_set(self) -> bool:
        assert time.monotonic() < self._end_s, "it did not come true in time"
        return bool(self._fact())


@pytest.fixture
def service(config: Config) -> Iterator[Service]:
    with ExitStack() as stack:
        yield assemble(stack, config)


def _refusing(*_: object) -> None:
    raise NotReadyError("ledger: database is locked")


def _full(*_: object) -> None:
    raise NoRoomError("ledger: database or disk is full")


def test_a_drop_that_is_away_is_not_well_and_logged_once(config: Config, service: Service) -> None:
    store, loop = config.store.path, service.loop
    config.drop.path.rmdir()
    with capture_logs() as said:
        loop.run(_Once(lambda: loop._patience.tries("") >= 3), until_idle=False)
        loop.run(_Once(lambda: status(store)["complaints"]), until_idle=False)
        (complaint,) = status(store)["complaints"]
        assert complaint.startswith("the drop cannot be listed: ")
        assert str(config.drop.path) in complaint
        config.drop.path.mkdir()
        loop.run(_Once(lambda: status(store)["well"]), until_idle=False)
    assert [line["event"] for line in said] == [
        "not ready, will try again",
        "the drop can be listed again",
    ]


def test_a_run_until_idle_says_why_it_gave_up(config: Config) -> None:
    config.drop.path.rmdir()
    with capture_logs() as said:
        assert run(config, until_idle=True) == 1
    (last,) = [line for line in said if line["event"].startswith("given up")]
    assert last["log_level"] == "error"
    assert str(config.drop.path) in last["reason"]


def test_a_listing_that_fails_once_does_not_end_a_run_until_idle(
    config: Config, full_drop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures, scan = iter(range(TRIES - 1)), Drop.scan

    def failing(drop: Drop) -> Any:
        if next(failures, None) is not None:
            raise NotReadyError("drop: stale file handle")
        return scan(drop)

    monkeypatch.setattr(Drop, "scan", failing)
    assert run(config, until_idle=True) == 0
    assert status(config.store.path)["files"]["done"] == len(list(full_drop.iterdir()))


def test_a_ledger_that_is_busy_when_a_file_is_set_aside_does_not_end_the_loop(
    full_drop: Any, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("daemon.drop.files._open_no_link", broken)
    monkeypatch.setattr(Pipeline, "set_aside", _refusing)
    name = min(path.name for path in full_drop.iterdir())
    for _ in range(TRIES - 1):
        service.loop._patience.failed(name, -1e6)
    with capture_logs() as said:
        refused = _Once(lambda: any(line["event"].startswith("ledger not") for line in said))
        assert service.loop.run(refused, until_idle=False) == 0


@pytest.mark.parametrize("backlog", [LaneState(), LaneState({}, "a")])
def test_a_lane_that_is_kept_again_tells_that_there_is_room(
    service: Service, monkeypatch: pytest.MonkeyPatch, backlog: LaneState
) -> None:
    done: list[str] = []
    monkeypatch.setattr(Ledger, "lane", lambda *_: backlog)
    monkeypatch.setattr("daemon.service.loop.joins", lambda *_: True)
    monkeypatch.setattr("daemon.service.loop.fork_at", lambda *_: "a")
    monkeypatch.setattr(Pipeline, "join", lambda _: done.append("join"))
    monkeypatch.setattr(Pipeline, "fork", lambda *_: done.append("fork"))
    service.loop._room.refused(0.0)
    service.loop._take(Plan())
    assert done == ["fork" if backlog == LaneState() else "join"]
    assert not service.loop._room.full


def test_a_ledger_that_refuses_a_lane_is_no_trouble_of_the_drop(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.service.loop.fork_at", lambda *_: "a")
    monkeypatch.setattr(Pipeline, "fork", _refusing)
    with capture_logs() as said:
        service.loop.run(_Once(lambda: said), until_idle=False)
    assert said[0]["event"] == "ledger not written, will try again"
    assert service.catching_up.drop_trouble is None


def test_no_room_at_the_end_of_a_run_is_said_and_exits_1(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipeline, "finish", _full)
    with capture_logs() as said:
        assert run(config, until_idle=True) == 1
    assert "open events not closed: the next start does it" in [line["event"] for line in said]


def test_it_lives_on_while_the_last_evidence_is_made(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[bool] = []
    monkeypatch.setattr("daemon.health.heart.Heart.beat", lambda _, went_on: beats.append(went_on))

    def finish(_: EvidenceChore, stop: Event, meanwhile: Callable[[float], None]) -> None:
        before, beaten = last_said(config.store.path)[0]["written"], len(beats)

        def written() -> bool:
            meanwhile(0.02)
            return bool(last_said(config.store.path)[0]["written"] > before)

        until(written)
        assert len(beats) > beaten
        assert not stop.is_set()

    monkeypatch.setattr(EvidenceChore, "finish", finish)
    assert run(config, until_idle=True) == 0


@pytest.mark.usefixtures("full_drop")
def test_a_run_that_did_all_there_was_is_finished_and_nothing_is_wrong(config: Config) -> None:
    assert run(config, until_idle=True) == 0
    found = status(config.store.path)
    assert (found["well"], found["complaints"]) == (True, [])
    assert status_lines(found)[0] == "finished: all that was there is done"
    assert found["backlog"]["files"] == 0


@pytest.mark.usefixtures("full_drop")
def test_a_run_that_left_a_file_set_aside_is_stopped_and_not_finished(config: Config) -> None:
    (config.drop.path / "2024-03-01--05.00.HYD24BBpk").write_bytes(noise(5000))
    assert run(config, until_idle=True) == 1
    found = status(config.store.path)
    assert (found["well"], found["state"]) == (False, "stopped")
    assert found["complaints"] == [f"not running: stopped at {found['daemon']['stopped']}"]


@pytest.mark.usefixtures("full_drop")
def test_a_run_that_was_ended_by_a_signal_is_stopped_and_not_finished(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(chore: EvidenceChore, stop: Event, attend: Callable[[float], None]) -> None:
        stop.set()

    monkeypatch.setattr(EvidenceChore, "finish", end)
    assert run(config, until_idle=True) == 0
    assert status(config.store.path)["state"] == "stopped"
