"""A store that was restored whole begins a new epoch; one that was only moved or used does not."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.ledger.ledger import open_ledger
from daemon.ledger.mark import MARK_FILE
from daemon.progress import Outgoing, Step


def _fill(store: Path, count: int) -> str:
    """Commit so many messages, of which all but the last are known to be sent."""
    with open_ledger(store) as ledger:
        for _ in range(count):
            number = ledger.sequence + 1
            text = json.dumps({"id": "x", "sequence": number, "epoch": ledger.epoch, "data": {}})
            outgoing = (Outgoing(number, "t", "y", text),)
            ledger.commit(Step(number - 1, outgoing=outgoing), "m")
        return ledger.epoch


def _copy(backup: Path, store: Path) -> None:
    shutil.rmtree(store)
    subprocess.run(["cp", "-a", backup, store], check=True)


def _copy_over(backup: Path, store: Path) -> None:
    subprocess.run(["cp", "-a", f"{backup}/.", store], check=True)


def _untar(backup: Path, store: Path) -> None:
    archive = backup.with_suffix(".tar")
    subprocess.run(["tar", "-C", backup, "-cf", archive, "."], check=True)
    subprocess.run(["tar", "-C", store, "-xpf", archive], check=True)


@pytest.mark.parametrize("restore", [_copy, _copy_over, _untar])
def test_a_store_restored_whole_begins_a_new_epoch(
    tmp_path: Path, restore: Callable[[Path, Path], None]
) -> None:
    store, backup = tmp_path / "store", tmp_path / "backup"
    epoch = _fill(store, 5)
    subprocess.run(["cp", "-a", store, backup], check=True)
    assert _fill(store, 3) == epoch
    restore(backup, store)
    with open_ledger(store) as ledger:
        assert ledger.rebuilt
        assert ledger.epoch != epoch
        told = [json.loads(message.text) for message in ledger.messages(0, 9)]
        assert [m["id"] for m in told] == [f"{ledger.epoch}-{n}" for n in range(1, 6)]
        assert [m["sequence"] for m in told] == [1, 2, 3, 4, 5]
        assert (ledger.sequence, ledger.published) == (5, 4)  # what was sent can be asked for
        anew = ledger.epoch
    assert _fill(store, 1) == anew


def test_a_store_that_is_moved_upgraded_or_begun_earlier_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "store"
    epoch = _fill(store, 2)
    store.rename(tmp_path / "moved")
    assert _fill(tmp_path / "moved", 1) == epoch
    (tmp_path / "moved").chmod(0o750)
    os.utime(tmp_path / "moved")
    assert _fill(tmp_path / "moved", 1) == epoch


def test_a_mark_that_is_gone_or_changed_begins_a_new_epoch_once(tmp_path: Path) -> None:
    epoch = _fill(tmp_path, 2)
    (tmp_path / MARK_FILE).unlink()
    second = _fill(tmp_path, 1)
    assert second != epoch
    (tmp_path / MARK_FILE).chmod(0o600)
    third = _fill(tmp_path, 1)
    assert third != second
    assert _fill(tmp_path, 1) == third
