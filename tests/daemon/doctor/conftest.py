"""A station to be examined: a drop, a store, free ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.config import Config, load_config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "drop").mkdir()
    return config_of(tmp_path)


def config_of(folder: Path, *sets: str) -> Config:
    return load_config(None, [*sets_of(folder), *sets], {})


def sets_of(folder: Path) -> list[str]:
    places = [f"drop.path={folder / 'drop'}", f"store.path={folder / 'store'}"]
    ports = ["bus.publish=tcp://127.0.0.1:0", "bus.replay=tcp://127.0.0.1:0"]
    return [*places, *ports, "metrics.listen=127.0.0.1:0"]
