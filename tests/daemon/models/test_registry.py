"""The registry is whole at any instant, and goes back where it came from."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from acoio.errors import SetupError
from daemon.models.golden import load_registered
from daemon.models.history import By, Switch, lineage
from daemon.models.registry import Registry
from detector.errors import ModelError
from detector.files import PRETRAINED, model_folder
from detector.scoring.checkpoint import read_model, write_model
from tests.daemon.models.made import (
    SPOILT,
    flipped,
    folder_of,
    judged,
    of_another_rate,
    pretrained,
    registry_of,
)


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
    registry.promote(third, by="retrain", rival=first)
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


def test_promoting_the_champion_chooses_it_anew_and_rollback_is_as_before(tmp_path: Path) -> None:
    registry, (first, second, third) = registry_of(tmp_path, "a", "b", "c")
    registry.promote(first)
    registry.promote(second, by="retrain", rival=first)
    registry.promote(third, by="retrain", rival=second)
    assert lineage(registry.history()) == [first, second, third]
    registry.promote(third, reason="the new gain is as it should be")
    assert (registry.current(), lineage(registry.history())) == (third, [third])
    assert registry.why(third) == ("promote", "the new gain is as it should be")
    assert registry.champions() == [None, first, second, third]
    assert registry.rollback() == second


def test_what_was_judged_against_another_champion_is_not_let_in_by_itself(tmp_path: Path) -> None:
    """Somebody rolled back while it was trained for hours."""
    registry, (first, second) = registry_of(tmp_path / "store", "a", "b")
    registry.promote(second)
    source = folder_of(tmp_path, "candidate")
    candidate = registry.register(source, judged(5, champion=first))
    with pytest.raises(SetupError, match=f"found {second} champion, wanted {first}"):
        registry.promote(candidate, by="retrain", rival=first)
    registry.rollback()
    with pytest.raises(SetupError, match=f"found detector.model champion, wanted {second}"):
        registry.promote(candidate, by="retrain", rival=second)
    assert registry.current() is None
    registry.promote(candidate, by="retrain", rival=None)
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
    assert sorted(registry.prune({a, b, c, e})) == sorted([a, e])
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
        with pytest.raises(SetupError, match=r"current: .*wanted a"):
            registry.current()


@pytest.mark.parametrize("stands", ["file", "path"])
def test_a_spoilt_link_is_made_anew(stands: str, tmp_path: Path) -> None:
    registry, (a, b, c) = registry_of(tmp_path, "a", "b", "c")
    registry.promote(a)
    registry.promote(b)
    link = registry.path / "current"

    def spoil() -> None:
        link.unlink()
        link.touch() if stands == "file" else link.symlink_to(registry.folder(b))

    spoil()
    assert [entry.champion for entry in registry.entries()] == [False] * 3
    with pytest.raises(SetupError, match="wanted a"):
        registry.prune({a})
    assert registry.rollback() == b
    assert registry.rollback() == a
    spoil()
    registry.promote(c)
    assert (registry.current(), registry.rollback(), registry.rollback()) == (c, a, None)


def test_a_folder_in_the_links_place_is_left_and_told(tmp_path: Path) -> None:
    registry, (a,) = registry_of(tmp_path, "a")
    (registry.path / "current").mkdir()
    for act in (lambda: registry.promote(a), registry.rollback):
        with pytest.raises(SetupError, match="found a folder, wanted a link: move it"):
            act()
    assert registry.noted() == []


@pytest.mark.parametrize("by", ["promote", "retrain"])
def test_a_model_that_is_pruned_while_it_is_checked_is_no_champion(
    by: By, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, (a, b) = registry_of(tmp_path, "a", "b")
    registry.promote(a)

    def checked(*_: object) -> None:
        Registry(tmp_path).prune({b})

    monkeypatch.setattr("daemon.models.registry.require_fit", checked)
    with pytest.raises(ModelError, match=f"{b}: found no model any more"):
        registry.promote(b, by=by)
    assert registry.current() == a


def test_a_verdict_with_figures_that_are_no_numbers_is_refused(tmp_path: Path) -> None:
    source, registry = folder_of(tmp_path, "mine"), Registry(tmp_path / "store")
    with pytest.raises(ValueError, match="JSON"):
        registry.register(source, judged(figures={"rate": float("nan")}))
    assert registry.entries() == []
    assert json.dumps(judged().as_json())


_NONSENSE: dict[str, Callable[[str, Tensor], Tensor]] = {
    "zeros": lambda _, values: 0 * values,
    "drawn at random": lambda _, values: torch.randn(
        values.shape, generator=torch.Generator().manual_seed(1)
    ),
    "a thousandfold": lambda _, values: 1000 * values,
    "quiet for loud": lambda name, values: -values if name == "weight" else values,
}


@pytest.mark.parametrize("kind", _NONSENSE)
def test_weights_that_make_no_detector_are_not_let_in(tmp_path: Path, kind: str) -> None:
    model = pretrained()
    network = copy.deepcopy(model.network)
    weights = network.state_dict()
    floats = {name: values for name, values in weights.items() if values.is_floating_point()}
    network.load_state_dict(weights | {n: _NONSENSE[kind](n, v) for n, v in floats.items()})
    write_model(tmp_path / "mine", replace(model, network=network))
    registry = Registry(tmp_path / "store")
    with pytest.raises(ModelError, match="golden windows: "):
        registry.register(tmp_path / "mine", judged())
    assert registry.entries() == []
