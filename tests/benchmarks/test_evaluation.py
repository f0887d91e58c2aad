"""What is tested is never learnt from, shares are as asked, and tables say what was found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.baselines import Baseline, Ink, KnnPca
from benchmarks.evaluation import compare as comparing
from benchmarks.evaluation import digits, kept, right_whales, tables, upcalls
from benchmarks.evaluation.compare import Measured, Result, Where, best_of, compare
from benchmarks.evaluation.task import Contestant, Entry, Split, Target, Task, baseline_contestants
from detector.calibration.intervals import Estimate

LABELS = np.random.default_rng(0).integers(0, 10, 20_000).astype(np.uint8)


@pytest.mark.parametrize("split", [digits.REPORT, digits.CODE], ids=lambda x: x.name)
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_various_digits_hold_the_share_asked_and_no_typical_image(
    split: digits.Digits, share: float
) -> None:
    chosen = digits.choose(LABELS, split, share, seed=3)
    assert not set(chosen.typical) & set(chosen.various)
    assert len(set(chosen.various)) == len(chosen.various)
    assert set(LABELS[chosen.typical]) == set(split.typical)
    unusual = np.isin(LABELS[chosen.various], split.atypical)
    assert unusual.mean() == pytest.approx(share, rel=0.01)


def test_the_typical_half_of_digits_is_that_of_the_seed_at_any_share() -> None:
    few, many = (digits.choose(LABELS, digits.REPORT, share, seed=3) for share in (0.01, 0.2))
    other = digits.choose(LABELS, digits.REPORT, 0.01, seed=4)
    np.testing.assert_array_equal(few.typical, many.typical)
    assert set(few.typical) != set(other.typical)


def test_digits_of_any_brightness_have_one_energy() -> None:
    image = np.random.default_rng(0).integers(0, 100, (1, 28, 28)).astype(np.uint8)
    both = digits.unit_energy(np.concatenate([image, 2 * image, 0 * image]))
    np.testing.assert_allclose(both[0], both[1], rtol=1e-6)
    assert np.square(both[0]).sum() == pytest.approx(81, rel=1e-5)
    assert not both[2].any()


@pytest.mark.parametrize("share", [0.5, 0.2, 0.05])
def test_clips_in_various_are_not_tested_and_calls_have_their_share(share: float) -> None:
    various, tested = upcalls.halve(750, 1250, share, seed=5)
    assert not set(various.background) & set(tested.background)
    assert not set(various.upcall) & set(tested.upcall)
    calls, others = len(various.upcall), len(various.background)
    assert calls / (calls + others) == pytest.approx(share, abs=0.002)
    assert len(tested.upcall) == 625 and len(tested.background) == 375


def test_the_same_clips_are_tested_at_every_share() -> None:
    first, second = (upcalls.halve(750, 1250, share, seed=5)[1] for share in (0.5, 0.05))
    np.testing.assert_array_equal(first.background, second.background)
    np.testing.assert_array_equal(first.upcall, second.upcall)


def test_various_is_trusted_as_far_as_it_tells_more_than_chance() -> None:
    chance = 2 * np.log(2)
    assert right_whales.trust([chance + 0.1, chance]) == 0
    assert right_whales.trust([chance - 0.2]) == 1
    assert right_whales.trust([chance, chance - 0.02]) == pytest.approx(0.5)


def test_levels_are_above_each_bands_median_in_the_clip() -> None:
    sound = np.random.default_rng(0).normal(size=(3, 4000)).astype(np.float32)
    levels_db = upcalls.excess_db(sound, 2000.0)
    assert levels_db.shape == (3, 56, 59)
    np.testing.assert_allclose(np.median(levels_db, axis=2), 0, atol=1e-4)
    np.testing.assert_allclose(upcalls.excess_db(8 * sound, 2000.0), levels_db, atol=1e-2)


def test_baselines_run_on_each_input_that_is_given_to_them() -> None:
    def inputs(baseline: Baseline) -> tuple[str, ...]:
        return ("pixels",) if baseline.name == "trivial, ink" else ("pixels", "unit")

    ink, near = baseline_contestants([(Ink(1), Ink(-1)), (KnnPca(2, 3),)], inputs)
    assert [entry.settings["sign"] for entry in ink.entries] == [1, -1]
    assert [entry.settings["reads"] for entry in near.entries] == ["pixels", "unit"]


def test_of_settings_the_best_is_chosen_and_of_equals_the_first() -> None:
    assert best_of([0.4, 0.9, 0.7]) == 1
    assert best_of([0.9, 0.9]) == 0


def toy(runs: list[tuple[float, int]]) -> Task:
    """Return a task whose scores are the labels under more or less noise; runs are told."""

    def split(seed: int) -> Split:
        return Split({}, {}, np.random.default_rng(seed).random(200) > 0.5)

    def entry(noise: float) -> Entry:
        def scores(split: Split, seed: int) -> np.ndarray:
            runs.append((noise, seed))
            return split.atypical + noise * np.random.default_rng(seed).normal(size=200)

        return Entry({"name": "noisy", "noise": noise}, scores)

    noisy = Contestant("noisy", [entry(2.0), entry(0.5)])
    once = Contestant("once", [entry(1.0)], Target(0.99), most_seeds=1)
    return Task("T", "toy", "", split, [noisy, once])


def test_all_settings_run_at_the_first_seed_the_best_at_all_and_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[tuple[float, int]] = []
    task = toy(runs)
    monkeypatch.setattr(comparing, "task_of", lambda key, data: task)
    monkeypatch.setattr(comparing, "DRAWS", 20)
    comparing._split.cache_clear()
    where = Where(tmp_path, tmp_path / "parts")
    with ThreadPoolExecutor(1) as pool:
        first, second = (list(compare(task, where, seeds=3, pool=pool)) for _ in range(2))
    assert sorted(runs) == [(0.5, 1), (0.5, 2), (0.5, 3), (1.0, 1), (2.0, 1)]
    assert first == second
    noisy, once = first
    assert noisy.settings["noise"] == 0.5 and [t.settings["noise"] for t in noisy.tried] == [2, 0.5]
    assert [m.seed for m in noisy.seeds] == [1, 2, 3] and [m.seed for m in once.seeds] == [1]
    assert all(m.auc.low < m.auc.value < m.auc.high for m in noisy.seeds)
    comparing._split.cache_clear()


def test_of_a_run_that_was_stopped_only_what_is_finished_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[tuple[float, int]] = []
    task = toy(runs)
    monkeypatch.setattr(comparing, "task_of", lambda key, data: task)
    monkeypatch.setattr(comparing, "DRAWS", 20)
    comparing._split.cache_clear()
    where = Where(tmp_path, tmp_path / "parts")
    comparing.found_auc(where, "T", "noisy", 0, 1)
    with ThreadPoolExecutor(1) as pool:
        found = list(compare(task, replace(where, only_kept=True), seeds=3, pool=pool))
    assert runs == [(2.0, 1)]
    assert [(r.name, len(r.tried), len(r.seeds)) for r in found] == [("noisy", 1, 1)]
    comparing._split.cache_clear()


def test_a_part_is_kept_by_its_settings_whatever_their_order() -> None:
    part = kept.Part("T", "x", kept.told({"a": 1, "b": 2}), 1)
    same = kept.Part("T", "x", kept.told({"b": 2, "a": 1}), 1)
    other = kept.Part("T", "x", kept.told({"a": 1, "b": 3}), 1)
    assert part.path(Path()) == same.path(Path()) != other.path(Path())


def result(aucs: list[float], target: Target) -> Result:
    seeds = [
        Measured(k, Estimate(auc, auc - 0.02, auc + 0.01), Estimate(0.8, 0.7, 0.9), 1.4)
        for k, auc in enumerate(aucs)
    ]
    return Result("x", {"name": "x", "width": 0.5}, target, [], seeds)


def test_a_row_has_mean_range_interval_and_what_of_the_target_is_reached() -> None:
    row = list(tables.table([result([0.9, 0.94], Target(0.95))]))[2]
    assert row == (
        "| x | width 0.5 | .920 (.900–.940) | .900–.930 | .800 (.800–.800) | .700–.900 "
        "| .950, **not reached** | 2 | 1 |"
    )


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Target(), ""),
        (Target(0.9), ".900, reached"),
        (Target(0.9, 0.85), ".900 / .850, **not reached**"),
    ],
)
def test_a_target_is_reached_by_all_of_its_measures(target: Target, told: str) -> None:
    assert tables.verdict(result([0.91], target)) == told


def test_settings_of_a_training_are_told_below_the_table() -> None:
    trained = replace(result([0.9], Target()), settings={"name": "x", "phase1_steps": 7})
    assert "| below |" in list(tables.table([trained]))[2]
    both = [result([0.9], Target()), trained]
    assert list(tables.trainings(both)) == ["- x: phase1_steps 7."]
