"""Training reaches every layer, learns what it should, and can be repeated."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from acoio.errors import DataError
from detector.gumiho import DISCRIMINATOR, RECONSTRUCTION, GumihoNetwork
from detector.losses import anomaly_score, squared_error
from detector.train import Report, Trainer, TrainSettings

from .models import SHAPE, TRAINING, trained, typical, various


def scores(trainer: Trainer, windows: torch.Tensor) -> torch.Tensor:
    net = trainer.network
    with torch.inference_mode():
        drawn = (net(windows, RECONSTRUCTION), net(windows, DISCRIMINATOR))
        return anomaly_score(windows, *drawn).sum(dim=1)


def test_every_parameter_is_trained() -> None:
    before = Trainer(SHAPE, typical(100), various(100), TRAINING).network.state_dict()
    after = trained().network.state_dict()
    assert [name for name in before if torch.equal(before[name], after[name])] == []


def test_each_tail_sends_its_gradient_into_the_encoder() -> None:
    x = torch.from_numpy(typical(8))
    for tail in (RECONSTRUCTION, DISCRIMINATOR):
        network = GumihoNetwork(SHAPE, (RECONSTRUCTION, DISCRIMINATOR))
        squared_error(x, network(x, tail)).sum().backward()
        assert all(p.grad is not None and p.grad.any() for p in network.encoder.body.parameters())
        other = ({RECONSTRUCTION, DISCRIMINATOR} - {tail}).pop()
        assert all(p.grad is None for p in network.tails[other].parameters())


def test_windows_with_a_tone_score_above_noise() -> None:
    clean = scores(trained(), torch.from_numpy(typical(1000, seed=50)))
    with_tone = scores(trained(), torch.from_numpy(various(2000, seed=60)[::2].copy()))
    area = mannwhitneyu(with_tone.numpy(), clean.numpy()).statistic / 1000**2
    assert area > 0.85


def test_the_second_phase_parts_the_simulated_from_the_typical() -> None:
    trainer = Trainer(SHAPE, typical(1000), various(1000, seed=5), TRAINING)
    reports = list(trainer.phases())
    second = [r for r in reports if r.phase == 2]
    assert second[-1].figures["rates"] < second[0].figures["rates"]
    assert {r.phase for r in reports} == {1, 2, 3}
    assert 0 < second[0].figures["accepted"] <= 1


def test_the_same_seed_gives_the_same_network() -> None:
    settings = TrainSettings(batch=32, phase1_steps=5, phase2_steps=3, mixture_parts=2)
    nets = []
    for _ in range(2):
        trainer = Trainer(SHAPE, typical(200), various(200), settings)
        list(trainer.phases())
        nets.append(trainer.network.state_dict())
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])


def test_too_little_sound_is_refused() -> None:
    with pytest.raises(DataError, match="various: found 10 windows, wanted 64"):
        Trainer(SHAPE, typical(100), various(10), TRAINING)


def test_a_report_reads_as_a_line() -> None:
    line = str(Report(1, 100, {"error": 12.345, "divergence": 0.5}))
    assert line == "phase 1  step   100  error 12.35  divergence 0.5"
    assert np.isfinite(trained().network.encoder.latent.weight.detach().numpy()).all()
