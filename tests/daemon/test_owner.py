"""A store is for its owner and the group, whoever of its owner's commands wrote there first."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from acoio.errors import SetupError
from daemon.config import load_config
from daemon.retraining.course import retrain
from daemon.service.requests import submit
from daemon.service.run import run
from tests.daemon.conftest import sets_of
from tests.daemon.models.made import registry_of

_OTHERS_OR_GROUP_WRITES = 0o027


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    former = os.umask(0)
    yield
    os.umask(former)


@pytest.mark.usefixtures("loud")
def test_what_a_run_and_a_request_write_is_closed(full_drop: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    evidence = ("evidence.clips=true", "evidence.pictures=true")
    config = load_config(None, [*sets_of(full_drop, store), *evidence], {})
    assert run(config, until_idle=True) == 0
    submit(store, "retry", {"all": True})
    names = {path.name for path in store.rglob("*")}
    assert {"ledger.sqlite3", "status.json", "requests"} <= names
    assert any(name.endswith((".flac", ".png")) for name in names)
    assert _open(store) == {}


def test_what_a_registry_and_a_retraining_write_is_closed(drop: Path, tmp_path: Path) -> None:
    registry, (model,) = registry_of(tmp_path / "one", "mine")
    registry.promote(model, reason="try it")
    assert _open(tmp_path / "one") == {}
    other = tmp_path / "other"
    config = load_config(None, sets_of(drop, other), {})
    other.mkdir(0o750)
    with suppress(SetupError):  # there is no ledger; that is kept, too
        list(retrain(config, seed=1))
    assert (other / "retrain.json").exists()
    assert _open(other) == {}


def test_a_stricter_umask_stays_as_strict(tmp_path: Path) -> None:
    os.umask(0o077)
    submit(tmp_path, "retry", {"all": True})
    (path,) = (tmp_path / "requests").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root asks at another's store")
def test_what_root_asks_can_be_read_by_the_stores_owner(tmp_path: Path) -> None:
    os.umask(0o022)
    (tmp_path / "requests").mkdir()
    os.chown(tmp_path, 12345, 12345)
    os.chown(tmp_path / "requests", 12345, 12345)
    path = submit(tmp_path, "retry", {"all": True})
    found = path.stat()
    assert found.st_uid == 12345 or found.st_mode & stat.S_IROTH


def _open(store: Path) -> dict[str, str]:
    """Return each file and folder of a store that others may open, or the group may write."""
    modes = {path: path.lstat() for path in [store, *store.rglob("*")]}
    return {
        str(path): oct(stat.S_IMODE(found.st_mode))
        for path, found in modes.items()
        if not stat.S_ISLNK(found.st_mode) and found.st_mode & _OTHERS_OR_GROUP_WRITES
    }
