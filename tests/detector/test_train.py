"""Training reaches every layer, learns what it should, can be left, and can be repeated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from acoio.errors import DataError, SetupError
from detector.methods import Discriminating, Method
from detector.phases import TrainSettings, shifted
from detector.train import Report, Trainer

from .models import SHAPE, TRAINING, trained, typical, various

SHORT = TrainSettings(batch=32, phase1_steps=110, phase2_steps=120, roll=True, shift_bands=1)


def short(settings: TrainSettings = SHORT) -> Trainer:
    return Trainer(SHAPE, typical(400), various(400), settings)


def area(network: Discriminating) -> float:
    with torch.inference_mode():
        clean = network.evidence(torch.from_numpy(typical(1000, seed=50))).sum(1)
        with_tone = network.evidence(torch.from_numpy(various(2000, seed=60)[::2].copy())).sum(1)
    return float(mannwhitneyu(with_tone.numpy(), clean.numpy()).statistic) / 1000**2


def same(first: Discriminating, second: Discriminating) -> bool:
    other = second.state_dict()
    return all(torch.equal(value, other[name]) for name, value in first.state_dict().items())


def test_every_parameter_is_trained() -> None:
    before = dict(Trainer(SHAPE, typical(100), various(100), TRAINING).network.named_parameters())
    after = dict(trained().network.named_parameters())
    assert [name for name in before if torch.equal(before[name], after[name])] == []


@pytest.mark.parametrize(("method", "least"), [("published", 0.55), ("ratio", 0.9)])
def test_windows_with_a_tone_score_above_noise(method: Method, least: float) -> None:
    trainer = Trainer(replace(SHAPE, method=method), typical(2000), various(2000), TRAINING)
    list(trainer.phases())
    assert area(trainer.network) > least


def test_the_second_phase_parts_what_is_held_out() -> None:
    reports = list(short().phases())
    first, *_, last = [r.figures["held_out"] for r in reports if r.phase == 2]
    assert last < first
    assert {r.phase for r in reports} == {1, 2, 3}


def test_the_published_phase_parts_the_simulated_from_the_typical() -> None:
    shape = replace(SHAPE, method="published", noise=False)
    trainer = Trainer(shape, typical(400), various(400), SHORT)
    second = [r for r in trainer.phases() if r.phase == 2]
    assert second[-1].figures["separation"] < -0.2
    assert 0 < second[0].figures["accepted"] <= 1


def test_the_same_seed_gives_the_same_network_whatever_else_draws_at_random() -> None:
    first, second = short(), short()
    for _, _ in zip(first.phases(), second.phases(), strict=True):
        torch.rand(7)
        np.random.default_rng().random()
    assert same(first.network, second.network)
    other = short(replace(SHORT, seed=2))
    list(other.phases())
    assert not same(first.network, other.network)


@pytest.mark.parametrize("reports", [1, 2, 3, 4])
def test_a_training_that_was_left_comes_to_the_same_network(tmp_path: Path, reports: int) -> None:
    whole, left, resumed = short(), short(), short()
    told = [str(report) for report in whole.phases()]
    phases = left.phases()
    before = [str(next(phases)) for _ in range(reports)]
    left.save(tmp_path / "training")
    resumed.resume(tmp_path / "training")
    after = [str(report) for report in resumed.phases()]
    assert before + after == told
    assert same(whole.network, resumed.network)


def test_only_the_same_training_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "training"
    with pytest.raises(SetupError, match="no saved training"):
        short().resume(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(SetupError, match="no saved training"):
        short().resume(path)
    short().save(path)
    with pytest.raises(SetupError, match="found a training of"):
        short(replace(SHORT, rho=0.5)).resume(path)


def test_a_phase_that_no_longer_gains_ends_early_with_the_best_network() -> None:
    nothing_to_learn = Trainer(
        SHAPE,
        typical(400),
        typical(400, seed=9),
        replace(SHORT, phase1_steps=100, phase2_steps=2000, patience=2),
    )
    second = [r for r in nothing_to_learn.phases() if r.phase == 2]
    held_out = [r.figures["held_out"] for r in second]
    assert len(second) < 20
    assert min(held_out) == held_out[-3]


def test_too_little_sound_is_refused() -> None:
    with pytest.raises(DataError, match="various: found 10 windows, wanted 64"):
        Trainer(SHAPE, typical(100), various(10), TRAINING)


def test_windows_that_are_no_numbers_are_refused() -> None:
    wrong = typical(100)
    wrong[7, 1, 1] = np.nan
    with pytest.raises(DataError, match="typical: found values that are not finite"):
        Trainer(SHAPE, wrong, various(100), TRAINING)


def test_a_shift_moves_windows_and_changes_nothing_else() -> None:
    x = torch.from_numpy(typical(3))
    moved = shifted(x, SHORT, torch.Generator().manual_seed(1))
    assert not torch.equal(moved, x)
    assert torch.equal(moved.flatten().sort().values, x.flatten().sort().values)
    assert torch.equal(shifted(x, TrainSettings(), torch.Generator()), x)


def test_a_report_reads_as_a_line() -> None:
    line = str(Report(1, 100, {"error": 12.345, "divergence": 0.5}))
    assert line == "phase 1  step   100  error 12.35  divergence 0.5"
