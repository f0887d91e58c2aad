"""What a person does with models on the command line."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli import app
from daemon.config import load_config
from daemon.ledger.database import LEDGER_FILE
from daemon.models.chosen import chosen_model, station_rate_hz
from daemon.models.registry import Registry
from daemon.retraining.first import first_model
from daemon.retraining.recent import changed
from detector.calibration.drift import reference_of
from detector.scoring.checkpoint import read_model, write_model
from tests.daemon.models.made import (
    SPOILT,
    flipped,
    folder_of,
    judged,
    of_another_rate,
    registry_of,
)
from tests.detector import models
from tests.detector.drifting import hour
from tests.detector.sounds import SMALL

COMMANDS = ("list", "show", "compare", "promote", "rollback", "prune")


def _run(store: Path, *words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["models", *map(str, words), "--store", str(store)])
    return result.exit_code, result.stdout, result.stderr


def _narrow(text: str) -> bool:
    return max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, ["models", command, "--help"])
    assert result.exit_code == 0
    assert f"kilokai models {command}" in result.stdout
    assert "Example" in result.stdout


@pytest.mark.parametrize("words", [("list",), ("promote", "ocean-v1"), ("prune",)])
def test_a_store_that_is_not_there_is_made_by_none_of_them(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    code, _, err = _run(tmp_path / "mistyped", *words)
    assert (code, "found no such folder" in err) == (78, True)
    assert not (tmp_path / "mistyped").exists()


def test_a_long_name_of_a_station_hides_no_hash(tmp_path: Path) -> None:
    _, (model,) = registry_of(tmp_path, "aloha-cabled-observatory-hawaii-20260501")
    line = _run(tmp_path, "list")[1].splitlines()[1]
    assert model[-18:] in line
    assert _narrow(line)


def test_the_calls_of_each_level_are_one_row(tmp_path: Path) -> None:
    out = _run(tmp_path, "show", "ocean-v1")[1]
    assert "calls_by_snr_db -5" in out.replace("\n", " ")
    assert out.count("28 found, 30 noticed, 47 calls") == 1
    assert _narrow(out)


def test_an_empty_registry_says_what_scores_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    code, out, _ = _run(tmp_path / "store", "list")
    assert code == 0
    assert "detector.model (ocean-v1) scores" in out
    assert "kilokai retrain" in out
    code, out, _ = _run(tmp_path / "store", "list", "--json")
    assert json.loads(out) == {"current": None, "models": []}
    code, _, err = _run(tmp_path / "store", "rollback")
    assert (code, "no champion before this one" in err) == (78, True)
    assert not (tmp_path / "store" / "models" / "current").exists()


def _without_card(folder: Path) -> None:
    (folder / "card.json").unlink()


@pytest.mark.parametrize("spoil", [_without_card, flipped])
def test_the_list_shows_every_model_and_the_champion(
    spoil: Callable[[Path], object], tmp_path: Path
) -> None:
    registry, (first, second) = registry_of(tmp_path, "first", "second")
    registry.promote(first)
    spoil(registry.folder(second))
    code, out, _ = _run(tmp_path, "list")
    _, newest, oldest = out.splitlines()
    assert (code, _narrow(out)) == (0, True)
    assert newest.startswith(f"  {second}")
    assert newest.endswith("damaged")
    assert oldest.startswith(f"* {first}")
    assert oldest.endswith("accepted")
    found = json.loads(_run(tmp_path, "list", "--json")[1])
    assert found["current"] == first
    assert [one["id"] for one in found["models"]] == [second, first]


def test_all_of_a_model_is_shown_and_two_are_compared(tmp_path: Path) -> None:
    registry, (first, second) = registry_of(tmp_path, "first", "second")
    registry.promote(first, reason="better by night")
    code, out, _ = _run(tmp_path, "show", "current")
    assert (code, _narrow(out)) == (0, True)
    for part in ("threshold", "calibration hours", "evaluation", "better by night", "accepted"):
        assert part in " ".join(out.split())
    code, out, _ = _run(tmp_path, "compare", first.rpartition("-")[2], "second")
    lines = [line for line in out.splitlines() if line.startswith("* id")]
    assert (code, _narrow(out), lines[0].split()) == (0, True, ["*", "id", first, second])
    assert not [line for line in out.splitlines() if line.startswith("* threshold")]
    both = json.loads(_run(tmp_path, "compare", first, second, "--json")[1])
    assert [one["id"] for one in both] == [first, second]


def test_what_is_not_registered_can_be_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    for text in ("current", "ocean-v1", folder_of(tmp_path, "mine")):
        code, out, _ = _run(tmp_path / "store", "show", text)
        assert (code, _narrow(out)) == (0, True)
        assert "calibration hours" in out
        assert "fault" not in out
    assert _run(tmp_path / "store", "promote", "ocean-v1")[0] == 0
    assert _run(tmp_path / "store", "list")[1].splitlines()[1].endswith("by hand")


@pytest.mark.parametrize("text", ["nobody", "a-very-long", "", "s"])
def test_an_id_that_means_no_one_model_is_refused(text: str, tmp_path: Path) -> None:
    registry_of(tmp_path, "same1", "same2", "other")
    code, _, err = _run(tmp_path, "show", text)
    assert (code, "wanted one model" in err) == (78, True)
    assert _run(tmp_path, "show", "same")[0] == 78


def test_a_folder_and_a_pretrained_name_are_taken_in_and_promoted(tmp_path: Path) -> None:
    store, registry = tmp_path / "store", Registry(tmp_path / "store")
    store.mkdir()
    code, _, err = _run(store, "promote", "ocean-v1", "--reason", "to begin with")
    assert (code, "after detector.model" in err) == (0, True)
    first = registry.current()
    assert _run(store, "promote", folder_of(tmp_path, "mine"))[0] == 0
    assert [entry.champion for entry in registry.entries()] == [True, False]
    assert _run(store, "rollback", "--reason", "alarm flood")[0] == 0
    assert registry.current() == first
    assert [(s.by, s.reason) for s in registry.history()] == [
        ("promote", "to begin with"),
        ("promote", ""),
        ("rollback", "alarm flood"),
    ]


def test_what_must_not_score_is_not_promoted(tmp_path: Path) -> None:
    store = tmp_path / "store"
    registry, (first, second) = registry_of(store, "first", "second")
    registry.promote(first)
    flipped(registry.folder(second))
    damaged = folder_of(tmp_path, "damaged")
    flipped(damaged)
    slow = of_another_rate(tmp_path)
    other = registry_of(store, "golden")[1][0]
    SPOILT["other golden scores"][0](registry.folder(other))
    wanted: Sequence[tuple[object, str]] = [
        (second, "SHA-256"), (damaged, "SHA-256"), (slow, "wanted 24000 Hz"), (tmp_path, "found"),
        (registry.folder(other), "golden window")
    ]  # fmt: skip
    for model, reason in wanted:
        code, _, err = _run(store, "promote", str(model))
        assert (code, reason in err) == (78, True), err
    code, _, err = _run(
        store, "promote", "ocean-v1", "--set", "detector.false_alarms_per_hour=0.001"
    )
    assert (code, "wanted 1 to 20" in err) == (78, True), err
    assert registry.current() == first


def test_what_the_gate_refused_is_promoted_only_on_demand(tmp_path: Path) -> None:
    store, source = tmp_path / "store", folder_of(tmp_path, "mine")
    registry = Registry(store)
    verdict = judged(accepted=False, reasons=("three times the alarms",))
    model = registry.register(source, verdict)
    for word in (model, str(source)):
        code, _, err = _run(store, "promote", word)
        assert (code, "three times the alarms" in err) == (78, True)
    assert registry.current() is None
    assert _run(store, "promote", model, "--force")[0] == 0
    assert registry.current() == model
    assert registry.entries()[0].verdict == verdict


def test_where_the_gates_word_is_damaged_nothing_is_promoted_by_chance(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "store")
    model = registry.register(folder_of(tmp_path, "mine"), judged(accepted=False))
    (registry.folder(model) / "verdict.json").write_text('{"accepted": fal')
    code, _, err = _run(tmp_path / "store", "promote", model)
    assert (code, "what the gate said of it cannot be read" in err) == (78, True)
    source = str(tmp_path / "mine")  # a copy of it is no way around
    code, _, err = _run(tmp_path / "store", "promote", source)
    assert (code, "what the gate said of it could not be read" in err) == (78, True)
    flipped(registry.folder(model))
    assert _run(tmp_path / "store", "promote", source, "--force")[0] == 0  # and it is whole again
    (entry,) = registry.entries()
    assert (entry.fault, entry.champion) == ("", True)


@pytest.fixture
def line(tmp_path: Path) -> tuple[Registry, list[str]]:
    """Six champions, one after the other, the first of no station."""
    registry, names = Registry(tmp_path / "store"), []
    for k in range(6):
        begin = f"2024-06-0{k + 1}T00:00:00Z"
        data = {"choice": {}, "spans": {"calibration": {"begin": begin}}} if k else {"hours": 8}
        made, folder = models.model(), tmp_path / f"{k}"
        known = reference_of([hour(n, bands=SMALL.bands) for n in range(4)])
        card = {**made.card, "name": f"m{k}", "data": data}
        write_model(folder, replace(made, card=card, reference=known))
        names.append(registry.register(folder, judged(k)))
    registry.promote(names[0])
    for before, model in pairwise(names):
        registry.promote(model, by="retrain", rival=before)
    return registry, names


def _pruned(registry: Registry, *words: str | Path) -> list[int]:
    """Return which of the champions are left."""
    assert _run(registry.path.parent, "prune", "--newest", "0", *words)[0] == 0
    return sorted(int(entry.id[1]) for entry in registry.entries())


def _config(tmp_path: Path, retrain: str = "") -> Path:
    file = tmp_path / "kilokai.toml"
    file.write_text(f"[drop]\npath = '/d'\n[retrain]\n{retrain}\n")
    return file


def test_prune_keeps_the_stations_first_model(
    line: tuple[Registry, list[str]], tmp_path: Path
) -> None:
    """The shipped one was of no station, and nothing is compared with it."""
    assert _pruned(line[0], "--config", _config(tmp_path)) == [1, 4, 5]


def test_the_first_model_that_prune_keeps_is_the_one_that_is_compared_with(
    line: tuple[Registry, list[str]], tmp_path: Path
) -> None:
    registry, names = line
    flipped(registry.folder(names[1]))
    file = _config(tmp_path, "since = 2024-06-01")
    champion = read_model(registry.folder(names[-1]))
    first = first_model(registry, champion, changed(load_config(file, [], {})))
    assert first is not None
    assert first.id == names[2]
    assert _pruned(registry, "--config", file) == [2, 4, 5]


def test_without_a_file_no_champion_of_the_station_is_pruned(
    line: tuple[Registry, list[str]],
) -> None:
    assert _pruned(line[0]) == [0, 1, 2, 3, 4, 5]


def test_a_candidate_that_comes_in_meanwhile_is_not_pruned(
    line: tuple[Registry, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, _ = line
    source, prune = folder_of(tmp_path, "m9"), Registry.prune

    def late(self: Registry, gone: Sequence[str]) -> list[str]:
        registry.register(source, judged(9))
        return prune(self, gone)

    monkeypatch.setattr(Registry, "prune", late)
    assert _pruned(registry, "--config", _config(tmp_path)) == [1, 4, 5, 9]


def test_prune_spares_what_events_name_unless_told(store: Path) -> None:
    registry, (a, b, c, d) = registry_of(store, "a", "b", "c", "d")
    for model in (b, c):
        registry.promote(model)
    with closing(sqlite3.connect(store / LEDGER_FILE)) as database, database:
        database.execute(
            "UPDATE events SET json = json_set(json, '$.model', ?) "
            "WHERE id = (SELECT min(id) FROM events)",
            (a,),
        )
    assert _run(store, "prune")[0] == 0
    assert len(registry.entries()) == 4
    assert d in _run(store, "prune", "--newest", "0")[2]
    assert {entry.id for entry in registry.entries()} == {a, b, c}
    assert a in _run(store, "prune", "--newest", "0", "--include-referenced")[2]
    assert {entry.id for entry in registry.entries()} == {b, c}


def test_a_spoilt_link_is_shown_and_mended(tmp_path: Path) -> None:
    registry, (first, second) = registry_of(tmp_path, "first", "second")
    registry.promote(first)
    link = registry.path / "current"
    for words in (("promote", second), ("rollback",)):
        link.unlink()
        link.symlink_to("/etc")
        code, out, err = _run(tmp_path, "list")
        assert (code, len(out.splitlines()), "current: found '/etc'" in err) == (0, 3, True)
        assert json.loads(_run(tmp_path, "list", "--json")[1])["current"] is None
        assert _run(tmp_path, *words)[0] == 0
        assert registry.current() == second


@pytest.mark.skipif(os.geteuid() != 0, reason="wants root")
@pytest.mark.parametrize("owned", [".", LEDGER_FILE])
def test_root_writes_in_no_store_of_another(owned: str, tmp_path: Path) -> None:
    store, source = tmp_path / "store", folder_of(tmp_path, "mine")
    registry, (first, second) = registry_of(store, "first", "second")
    for model in (first, second):
        registry.promote(model)
    (store / owned).touch()
    os.chown(store / owned, 65534, 65534)
    before = sorted(store.rglob("*"))
    for words in (
        ("promote", source),
        ("promote", first),
        ("rollback",),
        ("prune", "--include-referenced"),
    ):
        code, _, err = _run(store, *words)
        assert (code, "sudo -u nobody kilokai" in err) == (78, True), words
    sets = ["--set", f"store.path={store}", "--set", "drop.path=/dev/null"]
    for command in ("retrain", "run"):
        done = CliRunner().invoke(app, [command, *sets])
        assert (done.exit_code, "sudo -u nobody kilokai" in done.stderr) == (78, True), command
    assert sorted(store.rglob("*")) == before
    assert _run(store, "list")[0] == 0
    os.chown(store / owned, 0, 0)
    assert _run(store, "rollback")[0] == 0


def test_other_tools_take_the_champion_or_the_configured_model(tmp_path: Path) -> None:
    sets = [f"drop.path={tmp_path / 'drop'}", f"store.path={tmp_path / 'store'}"]
    config = load_config(None, sets, {})
    assert chosen_model(config) == "ocean-v1"
    assert station_rate_hz(config) == 24_000
    registry, (first,) = registry_of(tmp_path / "store", "first")
    registry.promote(first)
    assert chosen_model(config) == registry.folder(first)
    away = load_config(None, [*sets, "detector.model=/nowhere"], {})
    assert station_rate_hz(away) is None
