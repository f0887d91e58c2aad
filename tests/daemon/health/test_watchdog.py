"""The loop turns in each of these; whether it may say that it lives is another matter."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest

import daemon.drop.files
from daemon.config import Config
from daemon.health.heart import Heart
from daemon.hearing.pipeline import Pipeline
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.storage import NoRoomError
from daemon.service.assembly import Service, assemble

pytestmark = pytest.mark.usefixtures("loud")


class _Beats(Event):
    """What the heart was told in each round; set once a fact of that holds."""

    def __init__(self, fact: Callable[[list[bool]], bool]) -> None:
        super().__init__()
        self.told: list[bool] = []
        self.fact = fact
        self._end_s = time.monotonic() + 30

    def is_set(self) -> bool:
        assert time.monotonic() < self._end_s, "it did not come true in time"
        return self.fact(self.told)


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> _Beats:
    beats = _Beats(lambda told: len(told) >= 20)
    monkeypatch.setattr(Heart, "beat", lambda _, went_on: beats.told.append(went_on))
    return beats


@pytest.fixture
def service(config: Config) -> Iterator[Service]:
    with ExitStack() as stack:
        yield assemble(stack, config)


def _stuck(told: list[bool]) -> bool:
    return told[-20:] == [False] * 20


def test_an_empty_drop_is_life(service: Service, beats: _Beats) -> None:
    service.loop.run(beats, until_idle=False)
    assert set(beats.told) == {True}


@pytest.mark.usefixtures("full_drop")
def test_sound_that_is_scored_is_life(service: Service, beats: _Beats) -> None:
    files = service.loop._parts.ledger.files
    beats.fact = lambda told: any(file.bytes_read for file in files.values())
    service.loop.run(beats, until_idle=False)
    assert beats.told[-1]


@pytest.mark.usefixtures("full_drop")
def test_a_loop_that_turns_while_sound_waits_is_no_life(
    service: Service, beats: _Beats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipeline, "do", lambda *_: True)
    beats.fact = _stuck
    service.loop.run(beats, until_idle=False)


@pytest.mark.usefixtures("full_drop")
def test_a_task_that_is_taken_for_done_again_and_again_is_no_life(
    service: Service, beats: _Beats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipeline, "do", lambda *_: False)
    beats.fact = _stuck
    service.loop.run(beats, until_idle=False)


@pytest.mark.usefixtures("full_drop")
def test_a_ledger_that_another_process_holds_is_no_life_until_it_lets_go(
    config: Config, service: Service, beats: _Beats
) -> None:
    service.loop._parts.ledger._database.execute("PRAGMA busy_timeout = 0")
    with sqlite3.connect(config.store.path / LEDGER_FILE, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        beats.fact = _stuck
        service.loop.run(beats, until_idle=False)
        other.execute("ROLLBACK")
    other.close()
    beats.fact = lambda told: told[-1]
    service.loop.run(beats, until_idle=False)


@pytest.mark.usefixtures("full_drop")
def test_a_full_store_is_an_honest_reason_to_wait(
    service: Service, beats: _Beats, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise NoRoomError("ledger: database or disk is full")

    monkeypatch.setattr(Pipeline, "do", full)
    beats.fact = lambda told: service.loop._room.full and told[-5:] == [True] * 5
    service.loop.run(beats, until_idle=False)


def test_a_drop_that_is_away_is_an_honest_reason_to_wait(
    drop: Path, service: Service, beats: _Beats
) -> None:
    drop.rmdir()
    beats.fact = lambda told: service.loop._patience.tries("") >= 2 and told[-5:] == [True] * 5
    service.loop.run(beats, until_idle=False)


def test_files_that_may_not_be_read_are_an_honest_reason_to_wait(
    full_drop: Path, service: Service, beats: _Beats, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("daemon.drop.files._open_no_link", refused)
    name = min(path.name for path in full_drop.iterdir())
    tries = service.loop._patience.tries
    beats.fact = lambda told: tries(name) >= 2 and told[-5:] == [True] * 5
    service.loop.run(beats, until_idle=False)


@pytest.mark.usefixtures("full_drop")
def test_a_file_that_comes_slowly_piece_by_piece_is_life_and_one_that_hangs_is_none(
    service: Service, beats: _Beats, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, fetched = service.loop, daemon.drop.files._fetch
    drop = loop._parts.drop

    def slow(path: Path, byte: int, size_bytes: int) -> bytes:
        waited = len(beats.told)
        while len(beats.told) < waited + 3:  # that long somebody waits for it
            time.sleep(0.001)
        return fetched(path, byte, size_bytes)

    loop._liveness.found(due=True, waiting=True)
    monkeypatch.setattr("daemon.drop.files._fetch", slow)
    monkeypatch.setattr("daemon.drop.files._BLOCK_BYTES", 1 << 20)
    file = min(drop.path.iterdir())
    size_bytes = file.stat().st_size
    pieces = -(-size_bytes // (1 << 20))
    assert pieces > 2
    first = drop.digest(file.name, size_bytes)
    assert beats.told.count(True) == pieces
    assert beats.told[:3] == [False] * 3
    assert drop.digest(file.name, size_bytes) == first
    assert beats.told.count(True) == pieces  # the same once more, in vain
