"""The registry is whole at any instant, and goes back where it came from."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acoio.errors import NotReadyError, SetupError
from daemon.models.golden import load_registered
from daemon.models.history import Switch, champions, happened, parsed, written
from daemon.models.registry import Registry
from detector.checkpoint import PRETRAINED, model_folder, read_model
from detector.errors import ModelError
from tests.daemon.models.made import (
    SPOILT,
    flipped,
    folder_of,
    judged,
    of_another_rate,
    registry_of,
)
from tests.daemon.test_failing_disk import filled, small_disk


def _switch(model: str | None, previous: str | None, by: Any = "promote") -> Switch:
    return Switch("2026-11-22T20:00:00.000000Z", model, previous, by)


def _contents(registry: Registry) -> dict[str, bytes]:
    files = (path for path in sorted(registry.path.rglob("*")) if path.is_file())
    return {str(path.relative_to(registry.path)): path.read_bytes() for path in files}


def test_what_nobody_wrote_yet_is_empty(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert (registry.current(), registry.entries(), registry.history()) == (None, [], [])
    with pytest.raises(SetupError, match="no champion before"):
        registry.rollback()


def test_a_registered_model_is_the_same_model(tmp_path: Path) -> None:
    source = folder_of(tmp_path, "mine")
    registry = Registry(tmp_path / "store")
    model = registry.register(source, judged(figures={"rate": 1.5}, reasons=("better",)))
    (entry,) = registry.entries()
    assert (entry.id, entry.champion, entry.rate_hz, entry.fault) == (model, False, 24_000.0, "")
    assert entry.verdict == judged(figures={"rate": 1.5}, reasons=("better",))
    assert model == read_model(source).id == load_registered(entry.folder).model
    assert registry.current() is None


def test_models_are_listed_newest_first_whatever_their_folders_hold(tmp_path: Path) -> None:
    registry, (first, second, third) = registry_of(tmp_path, "zoe", "ann", "bob")
    (registry.folder(third) / "card.json").write_bytes(b"\xff{")
    (registry.folder(second) / "verdict.json").unlink()
    (registry.path / ".new-half").mkdir()
    (registry.path / "notes").mkdir()
    assert [entry.id for entry in registry.entries()] == [third, first, second]
    assert [bool(entry.fault) for entry in registry.entries()] == [True, False, True]


def test_rollback_goes_back_further_each_time_and_then_to_none(tmp_path: Path) -> None:
    registry, (first, second, third) = registry_of(tmp_path, "a", "b", "c")
    for model in (first, second, third):
        registry.promote(model, reason=f"try {model}")
    assert [registry.rollback(), registry.rollback()] == [second, first]
    registry.promote(third, by="retrain")
    assert [registry.rollback(), registry.rollback(), registry.current()] == [first, None, None]
    with pytest.raises(SetupError, match="no champion before"):
        registry.rollback()
    assert [switch.by for switch in registry.history()].count("rollback") == 4
    assert registry.history()[0] == Switch(
        registry.history()[0].time, first, None, "promote", f"try {first}"
    )


def test_rollback_passes_over_what_does_not_load(tmp_path: Path) -> None:
    registry, (first, second, third) = registry_of(tmp_path, "a", "b", "c")
    for model in (first, second, third):
        registry.promote(model)
    flipped(registry.folder(second))
    assert registry.rollback() == first


def test_promoting_the_champion_changes_nothing(tmp_path: Path) -> None:
    registry, (first,) = registry_of(tmp_path, "a")
    registry.promote(first)
    before = registry.history()
    registry.promote(first)
    assert registry.history() == before


def test_what_was_judged_against_another_champion_is_not_let_in_by_itself(tmp_path: Path) -> None:
    """Somebody rolled back while it was trained for hours."""
    registry, (first, second) = registry_of(tmp_path / "store", "a", "b")
    registry.promote(second)
    source = folder_of(tmp_path, "candidate")
    candidate = registry.register(source, judged(5, champion=first))
    with pytest.raises(SetupError, match=f"found {second} champion, wanted {first}"):
        registry.promote(candidate, by="retrain")
    assert registry.current() == second
    registry.promote(first)
    registry.promote(candidate, by="retrain")
    assert registry.current() == candidate


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_model_is_no_champion(kind: str, tmp_path: Path) -> None:
    registry, (first, second) = registry_of(tmp_path, "a", "b")
    registry.promote(first)
    spoil, reason = SPOILT[kind]
    spoil(registry.folder(second))
    with pytest.raises(ModelError) as refused:
        registry.promote(second)
    assert refused.value.reason == reason
    assert str(registry.folder(second)) in str(refused.value)
    assert registry.current() == first


def test_a_model_of_another_rate_is_kept_but_no_champion(tmp_path: Path) -> None:
    registry, (first,) = registry_of(tmp_path / "store", "a")
    registry.promote(first)
    slow = registry.register(of_another_rate(tmp_path), judged())
    with pytest.raises(ModelError, match="found a model for 16000 Hz, wanted 24000"):
        registry.promote(slow)
    assert registry.current() == first


def test_what_is_no_model_is_not_registered(tmp_path: Path) -> None:
    source = folder_of(tmp_path, "mine")
    flipped(source)
    registry = Registry(tmp_path / "store")
    with pytest.raises(ModelError, match="mine"):
        registry.register(source, judged())
    assert registry.entries() == []
    with pytest.raises(SetupError, match="wanted a model's id"):
        registry.promote("../../etc/passwd-00000000")


def test_a_damaged_model_is_whole_again_once_it_is_registered_again(tmp_path: Path) -> None:
    source, registry = folder_of(tmp_path, "mine"), Registry(tmp_path / "store")
    model = registry.register(source, judged(1, accepted=False))
    flipped(registry.folder(model))
    (registry.folder(model) / "golden.json").unlink()
    assert registry.register(source, judged(2)) == model
    registry.promote(model)
    assert [entry.verdict for entry in registry.entries()] == [judged(2)]


def test_prune_keeps_the_champion_the_one_before_and_what_it_is_told(tmp_path: Path) -> None:
    registry, (a, b, c, d, e) = registry_of(tmp_path, "a", "b", "c", "d", "e")
    for model in (a, b, c):
        registry.promote(model)
    assert sorted(registry.prune({d})) == sorted([a, e])
    assert {entry.id for entry in registry.entries()} == {b, c, d}
    assert registry.rollback() == b
    assert registry.rollback() is None  # `a` is gone


def test_what_is_in_the_making_stays_and_what_was_left_goes(tmp_path: Path) -> None:
    registry, _ = registry_of(tmp_path, "a")
    left = registry.path / ".new-left"
    left.mkdir()
    (left / "card.json").touch()
    with registry.candidate() as folder:
        (folder / "training").touch()
        registry.register(model_folder(PRETRAINED), judged())
        assert (folder / "training").exists()
    assert not folder.exists()
    assert not left.exists()


@pytest.mark.parametrize("stands", ["folder", "file", "path", "dangling"])
def test_a_link_that_is_none_is_told(stands: str, tmp_path: Path) -> None:
    registry, (model,) = registry_of(tmp_path, "a")
    link = registry.path / "current"
    if stands == "folder":
        link.mkdir()
    elif stands == "file":
        link.touch()
    else:
        link.symlink_to("/etc" if stands == "path" else "gone-00000000")
    if stands == "dangling":
        assert registry.current() == "gone-00000000"
        registry.promote(model)
        assert registry.current() == model
    else:
        with pytest.raises(SetupError, match="wanted a"):
            registry.current()


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


def test_a_history_is_read_as_it_was_written_less_what_is_none() -> None:
    switches = [_switch("a-1", None), _switch("b-2", "a-1", "retrain")]
    assert parsed(written(switches).decode() + "{half\n[]\n{}\n") == switches


def test_a_switch_that_was_noted_but_not_made_did_not_happen() -> None:
    switches = [_switch("a", None), _switch("b", "a")]
    assert happened(switches, "a") == switches[:1]
    assert happened(switches, "b") == switches
    assert happened(switches, "by hand") == switches
    assert champions(switches, "by hand") == [None, "a", "b", "by hand"]


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
        "prune": lambda: registry.prune({new}),
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


def test_a_verdict_with_figures_that_are_no_numbers_is_refused(tmp_path: Path) -> None:
    source, registry = folder_of(tmp_path, "mine"), Registry(tmp_path / "store")
    with pytest.raises(ValueError, match="JSON"):
        registry.register(source, judged(figures={"rate": float("nan")}))
    assert registry.entries() == []
    assert json.dumps(judged().as_json())
