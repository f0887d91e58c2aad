"""What the daemon's tests share: a sea, and a service on it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from acoio.simulate import simulate_drop
from daemon.config import Config, load_config
from daemon.service.run import run
from tests.daemon.bench import Found, bench_on, found_in
from tests.daemon.fakes import LoudnessScorer
from tests.daemon.sea import Sea, sea_of


@pytest.fixture(scope="session")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Sea:
    """Eight minutes of simulated ocean."""
    return sea_of(list(simulate_drop(tmp_path_factory.mktemp("sea"), seed=3, minutes=8)))


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def full_drop(drop: Path, sea: Sea) -> Path:
    for name, data in sea.cut():
        (drop / name).write_bytes(data)
    return drop


@pytest.fixture
def config(drop: Path, tmp_path: Path) -> Config:
    return config_of(drop, tmp_path / "store")


def config_of(drop: Path, store: Path) -> Config:
    return load_config(None, sets_of(drop, store), {})


def sets_of(drop: Path, store: Path) -> list[str]:
    """Return the keys of a daemon in a hurry, on free ports, that makes no evidence."""
    return [
        f"drop.path={drop}",
        f"store.path={store}",
        "drop.settle_s=0.3",
        "drop.rescan_s=0.2",
        "bus.publish=tcp://127.0.0.1:0",
        "bus.replay=tcp://127.0.0.1:0",
        "bus.heartbeat_s=0.2",
        "metrics.listen=127.0.0.1:0",
        "evidence.clips=false",
        "evidence.pictures=false",
    ]


@pytest.fixture(scope="session")
def heard(sea: Sea, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a drop and the store of a daemon that heard it all, without evidence."""
    folder = tmp_path_factory.mktemp("heard")
    drop = folder / "drop"
    drop.mkdir()
    for name, data in sea.cut():
        (drop / name).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("daemon.service.foundations.load_model", lambda *_, **__: LoudnessScorer())
        assert run(config_of(drop, folder / "store"), until_idle=True) == 0
    return folder


@pytest.fixture
def store(heard: Path, tmp_path: Path) -> Path:
    """A copy of that store."""
    return Path(shutil.copytree(heard / "store", tmp_path / "store"))


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service score by loudness, with no model."""
    monkeypatch.setattr("daemon.service.foundations.load_model", lambda *_, **__: LoudnessScorer())


def until(fact: Callable[[], object], *, deadline_s: float = 90.0) -> None:
    """Wait for a fact, or fail."""
    end_s = time.monotonic() + deadline_s
    while not fact():
        assert time.monotonic() < end_s, "it did not come true in time"
        time.sleep(0.005)


@pytest.fixture
def unbroken(sea: Sea, tmp_path: Path) -> Found:
    """What one run over the whole drop finds."""
    drop = tmp_path / "unbroken"
    drop.mkdir()
    for name, data in sea.cut():
        (drop / name).write_bytes(data)
    with bench_on(drop, tmp_path / "unbroken-store") as bench:
        bench.work()
        bench.pipeline.finish()
    scores, events = found_in(tmp_path / "unbroken-store")
    assert len(scores) > 300
    assert len(events) > 1
    return scores, events
