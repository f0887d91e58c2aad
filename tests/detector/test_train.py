"""Training reaches every layer, learns what it should, can be left, and can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu
from torch import nn

from acoio.errors import DataError, SetupError
from detector.networks.methods import Method
from detector.training.phases import TrainSettings, shifted
from detector.training.train import Report, Trainer

from .models import SHAPE, TRAINING, trained, typical, various

SHORT = TrainSettings(batch=32, phase1_steps=110, phase2_steps=120, roll=True, shift_bands=1)


def short(settings: TrainSettings = SHORT) -> Trainer:
    return Trainer(SHAPE, typical(400), various(400), settings)


@cache
def finished() -> tuple[Trainer, tuple[Report, ...]]:
    """Return a short training that is done, and all it reported: to be read, not changed."""
    trainer = short()
    return trainer, tuple(trainer.phases())


def sweeps(count: int, *, seed: int, rising: float) -> NDArray[np.float32]:
    """Return noise with a sweep in each window, of which a share rises: all of one energy."""
    generator, steps = np.random.default_rng(seed), np.arange(6)
    windows = 0.5 * typical(count, seed=seed)
    for k in range(count):
        band = generator.integers(SHAPE.bands - len(steps) + 1)
        column = generator.integers(SHAPE.columns - len(steps) + 1)
        up = steps if k < rising * count else steps[::-1]
        windows[k, band + up, column + steps] += 3
    return np.asarray(generator.permutation(windows), np.float32)


FALLING, RISING = sweeps(1000, seed=3, rising=0.0), sweeps(1000, seed=4, rising=1.0)


def area(score: Callable[[torch.Tensor], torch.Tensor]) -> float:
    """Return how well rising sweeps are told from falling ones."""
    with torch.inference_mode():
        high, low = (score(torch.from_numpy(x)).numpy() for x in (RISING, FALLING))
    return float(mannwhitneyu(high, low).statistic) / 1000**2


def same(first: nn.Module, second: nn.Module) -> bool:
    other = second.state_dict()
    return all(torch.equal(value, other[name]) for name, value in first.state_dict().items())


def test_every_parameter_is_trained() -> None:
    settings = replace(SHORT, weight_decay=0.0)  # which moves what no gradient reaches
    trainer = short(settings)
    before = {n: p.detach().clone() for n, p in trainer.network.named_parameters()}
    list(trainer.phases())
    after = dict(trainer.network.named_parameters())
    assert [name for name in before if torch.equal(before[name], after[name])] == []


def test_sweeps_have_the_same_energy_whichever_way_they_go() -> None:
    assert area(lambda x: x.square().sum((1, 2))) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("method", "steps", "least"), [("published", 150, 0.75), ("ratio", 400, 0.95)]
)
def test_training_teaches_what_energy_does_not_tell(
    method: Method, steps: int, least: float
) -> None:
    """Nor does the power law that the ratio starts from: it is in the way until unlearnt."""
    trainer = Trainer(
        replace(SHAPE, method=method, noise=False),
        sweeps(2000, seed=1, rising=0.0),
        sweeps(2000, seed=2, rising=0.5),
        replace(TRAINING, phase2_steps=steps),
    )
    untrained = area(lambda x: trainer.network.eval().evidence(x).sum(1))
    list(trainer.phases())
    assert untrained < 0.65
    assert area(lambda x: trainer.network.eval().evidence(x).sum(1)) > least


def test_the_second_phase_parts_what_is_held_out() -> None:
    _, reports = finished()
    first, *_, last = [r.figures["held_out"] for r in reports if r.phase == 2]
    assert last < first
    assert {r.phase for r in reports} == {1, 2, 3}


def test_reports_tell_how_the_mixture_was_fitted_and_where_the_limits_are() -> None:
    trainer, every = finished()
    reports = [r for r in every if "phi" in r.figures]
    assert [r.phase for r in reports] == [1, 3]
    told = {"log_likelihood", "fit_steps", "converged", "reseeded"}
    assert all(told <= {*r.figures} for r in reports)
    network, held = trainer.network.eval(), torch.from_numpy(typical(400)[360:])
    with torch.inference_mode():
        likely = network.mixture(network.encode(held)[0])
        scores = network.evidence(held).sum(1)
    last = reports[-1].figures
    assert last["phi"] == pytest.approx(float(network.limit))
    assert last["phi"] == pytest.approx(float(likely.quantile(SHORT.rho)), rel=1e-4)
    assert last["score_limit"] == trainer.score_limit
    assert last["score_limit"] == pytest.approx(float(scores.quantile(1 - SHORT.rho)), rel=1e-4)


def test_the_mixture_is_fitted_to_windows_from_all_the_time_there_is() -> None:
    """The first half and the second are unlike; few points are wanted."""
    windows = np.concatenate((typical(300), typical(300, seed=1) + 3))
    trainer = Trainer(SHAPE, windows, various(400), replace(SHORT, mixture_points=60))
    seen: list[torch.Tensor] = []
    fit = trainer.network.mixture.fit
    trainer.network.mixture.fit = lambda z, seed: seen.append(z) or fit(z, seed=seed)  # type: ignore[method-assign, assignment, func-returns-value, misc]
    list(trainer.phases())
    with torch.inference_mode():
        wanted = trainer.network.eval().encode(torch.from_numpy(windows[:540:9]))[0]
    assert torch.allclose(seen[-1], wanted, atol=1e-5)


def test_windows_drawn_by_a_sigmoid_lie_between_0_and_1_and_are_begun_as_bright() -> None:
    shape = replace(SHAPE, output="sigmoid", noise=False)
    dark = np.clip(0.1 + 0.02 * typical(400), 0, 1)
    trainer = Trainer(shape, dark, dark[::-1].copy(), SHORT)
    drawn = trainer.network.eval()(torch.from_numpy(dark[:50])).mean()
    assert drawn.item() == pytest.approx(0.1, abs=0.05)
    list(trainer.phases())
    assert np.isfinite(trainer.score_limit)
    with pytest.raises(DataError, match=r"various: found values from -.*, wanted 0 to 1"):
        Trainer(shape, dark, various(400), SHORT)


def test_a_phase_of_no_steps_is_left_out() -> None:
    reports = list(short(replace(SHORT, phase1_steps=0, phase2_steps=0)).phases())
    assert [(r.phase, r.step) for r in reports] == [(1, 0), (3, 0)]


def test_settings_beyond_what_they_can_be_are_refused_at_once() -> None:
    with pytest.raises(SetupError, match=r"seed: found 2147483648, .*; phase1_steps: found -1"):
        TrainSettings(seed=2**31, phase1_steps=-1)


def test_training_leaves_the_callers_generator_as_it_was() -> None:
    before = torch.get_rng_state()
    list(short(replace(SHORT, phase1_steps=2, phase2_steps=2)).phases())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_same_seed_gives_the_same_network_whatever_else_draws_at_random() -> None:
    first, again, other = finished()[0], short(), short(replace(SHORT, seed=2))
    for _, _ in zip(again.phases(), other.phases(), strict=True):
        torch.rand(7)
        np.random.default_rng().random()
    assert same(first.network, again.network)
    assert not same(first.network, other.network)


@pytest.mark.parametrize("reports", [1, 2, 3, 4])
def test_a_training_that_was_left_comes_to_the_same_network(tmp_path: Path, reports: int) -> None:
    (whole, told), left, resumed = finished(), short(), short()
    phases = left.phases()
    before = [str(next(phases)) for _ in range(reports)]
    left.save(tmp_path / "training")
    resumed.resume(tmp_path / "training")
    after = [str(report) for report in resumed.phases()]
    assert before + after == [str(report) for report in told]
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
    with pytest.raises(DataError, match="typical: found 9 windows, wanted 10"):
        Trainer(SHAPE, typical(9), various(100), replace(TRAINING, batch=4))


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


def test_a_training_goes_on_from_a_network_where_that_betters_it() -> None:
    known = trained().network
    none = replace(SHORT, phase1_steps=0, phase2_steps=0)
    windows = typical(400), various(400)
    started = Trainer(SHAPE, *windows, none, start=known)
    list(started.phases())
    assert same(started.network.encoder, known.encoder)
    ruinous = replace(none, phase2_steps=5, phase2_rate=10.0)
    for start, stays in ((known, True), (None, False)):
        trainer = Trainer(SHAPE, *windows, ruinous, start=start)
        list(trainer.phases())
        assert same(trainer.network.encoder, known.encoder) is stays


def test_a_training_from_another_network_is_another_training(tmp_path: Path) -> None:
    short().save(tmp_path / "left")
    other = Trainer(SHAPE, typical(400), various(400), SHORT, start=trained().network)
    with pytest.raises(SetupError, match=r"found a training of {'start': ''}"):
        other.resume(tmp_path / "left")
