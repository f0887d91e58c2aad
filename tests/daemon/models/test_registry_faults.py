"""Killed, crowded, or on a disk that takes nothing, the registry is as before or as after."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acoio.errors import NotReadyError
from daemon.models.golden import load_registered
from daemon.models.registry import Registry
from detector.scoring.checkpoint import read_model
from tests.daemon.models.made import (
    folder_of,
    judged,
    registry_of,
)
from tests.daemon.test_failing_disk import filled, small_disk


def _contents(registry: Registry) -> dict[str, bytes]:
    files = (path for path in sorted(registry.path.rglob("*")) if path.is_file())
    return {str(path.relative_to(registry.path)): path.read_bytes() for path in files}


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    registry, models = registry_of(tmp_path, "a", "b", "c", "d")

    def promote(model: str) -> None:
        for _ in range(5):
            Registry(tmp_path).promote(model)

    threads = [threading.Thread(target=promote, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    switches = registry.history()
    assert switches[-1].model == registry.current()
    assert [s.previous for s in switches] == [None, *(s.model for s in switches[:-1])]


def hashes(*folders: Path) -> set[bytes]:
    """Return what stands for the weights and the card of each model."""
    both = [(f / "model.safetensors", f / "card.json") for f in folders]
    return {hashlib.sha256(a.read_bytes() + b.read_bytes()).digest() for a, b in both}


_TOUCHES = ("open", "os.rename", "os.mkdir", "os.symlink", "os.remove", "os.rmdir")


def _dies_at(number: int, home: Path, act: Callable[[], object]) -> bool:
    """Do something in a process that ends at its nth change of the disk; say whether it did."""
    child = os.fork()
    if child == 0:
        left = [number]

        def touched(event: str, words: tuple[Any, ...]) -> None:
            reads = event == "open" and not words[2] & (os.O_WRONLY | os.O_RDWR)
            if event in _TOUCHES and not reads and str(words[0]).startswith(str(home)):
                left[0] -= 1
                if not left[0]:
                    os._exit(9)

        sys.addaudithook(touched)
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), code
    return code == 9


def test_killed_at_any_change_of_the_disk_it_is_as_before_or_as_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registered, promoted, rolled back, pruned, each time from the same registry."""
    source = folder_of(tmp_path, "new")
    registry, (a, b, c) = registry_of(tmp_path / "store", "a", "b", "c")
    registry.promote(a)
    registry.promote(b)
    new = read_model(source).id
    whole = {path.name for path in registry.folder(a).iterdir()}
    scorer = load_registered(registry.folder(a))
    monkeypatch.setattr("daemon.models.golden.load_registered", lambda *_, **__: scorer)
    weights = hashes(source, *map(registry.folder, (a, b, c)))
    acts: dict[str, Callable[[], object]] = {
        "register": lambda: registry.register(source, judged(9)),
        "promote": lambda: registry.promote(c),
        "rollback": registry.rollback,
        "prune": lambda: registry.prune({a, c}),
    }
    for name, act in acts.items():
        number = 0
        while True:
            number += 1
            before = _seen(registry)
            died = _dies_at(number, registry.path, act)
            after = _seen(registry)
            for entry in registry.entries():
                assert {path.name for path in entry.folder.iterdir()} == whole
                assert hashes(entry.folder) <= weights
            if not died:
                break
            assert after == before or _is_done(name, after, new, c), (name, number)
            if after != before and name != "prune":
                break
        assert number > 1, name
    assert list(registry.path.glob(".gone-*")) == []


def _seen(registry: Registry) -> tuple[Any, ...]:
    ids = sorted(entry.id for entry in registry.entries())
    return registry.current(), ids, registry.history(), registry.champions()


def _is_done(name: str, seen: tuple[Any, ...], new: str, promoted: str) -> bool:
    current, ids, history, _ = seen
    match name:
        case "register":
            return new in ids
        case "promote":
            return bool(current == promoted and history[-1].model == promoted)
        case "rollback":
            return bool(history[-1].by == "rollback" and history[-1].model == current)
    return True


def test_on_a_full_disk_nothing_changes(tmp_path: Path) -> None:
    source = folder_of(tmp_path, "new")
    with small_disk(tmp_path / "disk", mebibytes=8) as disk:
        registry, (a, b) = registry_of(disk, "a", "b")
        registry.promote(a)
        with filled(disk):
            before = _contents(registry)
            for act in (
                lambda: registry.register(source, judged()),
                lambda: registry.promote(b),
                registry.rollback,
            ):
                with pytest.raises(NotReadyError, match="No space left"):
                    act()
            assert _contents(registry) == before
        assert registry.current() == a
        registry.promote(b)


def test_in_a_folder_that_may_not_be_written_nothing_changes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", mebibytes=8) as disk:
        registry, (a, b) = registry_of(disk, "a", "b")
        registry.promote(a)
        os.system(f"mount -o remount,ro {disk}")
        with pytest.raises(NotReadyError, match="Read-only file system; no model was changed"):
            registry.promote(b)
        assert registry.current() == a
