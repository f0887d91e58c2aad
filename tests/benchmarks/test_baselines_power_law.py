"""The generalised power law is the published formula, and its mean ignores calls."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from acoio.errors import DataError, SetupError
from benchmarks.baselines import GeneralisedPowerLaw
from benchmarks.baselines.power_law import Interval, conditional_mean
from benchmarks.evaluation.areas import roc_auc

SHAPE = (6, 10)
INTERVALS: tuple[Interval, ...] = ("typical", "window")


def sea(windows: int, seed: int) -> NDArray[np.float32]:
    """Return levels of noise, dB (n, F, T)."""
    power = np.random.default_rng(seed).gamma(4.0, 0.25, (windows, *SHAPE))
    return np.asarray(10 * np.log10(power), np.float32)


def by_hand(
    amplitude: NDArray[np.float64], gamma: float, nu_frequency: float, nu_time: float
) -> list[float]:
    """Return the statistic of each spectrum of one window, (F, T) → T, term by term."""
    level = amplitude**gamma
    mu = [closest_half(row) for row in level]
    u = np.array([[level[k, j] - mu[k] for j in range(SHAPE[1])] for k in range(SHAPE[0])])
    statistic = []
    for j in range(SHAPE[1]):
        total = 0.0
        for k in range(SHAPE[0]):
            a = abs(u[k, j]) / np.sqrt(sum(u[i, j] ** 2 for i in range(SHAPE[0])))
            b = abs(u[k, j]) / np.sqrt(sum(u[k, m] ** 2 for m in range(SHAPE[1])))
            total += a ** (2 * nu_frequency) * b ** (2 * nu_time)
        statistic.append(total)
    return statistic


def closest_half(values: NDArray[np.float64]) -> float:
    ordered, half = sorted(values), len(values) // 2
    halves = [ordered[first : first + half] for first in range(len(values) - half + 1)]
    return float(np.mean(min(halves, key=lambda part: part[-1] - part[0])))


def test_the_defaults_are_the_published_exponents() -> None:
    baseline = GeneralisedPowerLaw()
    assert (baseline.gamma, baseline.nu_frequency, baseline.nu_time) == (1.0, 1.0, 2.0)


@pytest.mark.parametrize("exponents", [(1.0, 1.0, 2.0), (2.0, 0.5, 1.0)])
@pytest.mark.parametrize("frames", [1, 4])
def test_by_the_window_it_is_the_published_formula(
    exponents: tuple[float, float, float], frames: int
) -> None:
    x = sea(5, 0)
    baseline = GeneralisedPowerLaw(*exponents, frames=frames, interval="window")
    statistics = [by_hand(10 ** (window.astype(float) / 20), *exponents) for window in x]
    wanted = [
        max(np.mean(s[j : j + frames]) for j in range(SHAPE[1] - frames + 1)) for s in statistics
    ]
    np.testing.assert_allclose(baseline.fit(x, seed=0).score(x), wanted, rtol=1e-5)


def test_by_typical_sound_the_mean_and_the_norm_are_of_all_its_spectra() -> None:
    typical, x = sea(40, 1), sea(3, 2)
    baseline = GeneralisedPowerLaw(frames=1)
    level = 10 ** (np.moveaxis(typical, 1, 0).reshape(SHAPE[0], -1).astype(float) / 20)
    mu = np.array([closest_half(row) for row in level])
    norm = np.sqrt(np.square(level - mu[:, None]).mean(axis=1))
    u = np.abs(10 ** (x.astype(float) / 20) - mu[:, None])
    a = u / np.sqrt(np.square(u).sum(axis=1, keepdims=True))
    wanted = (a**2 * (u / norm[:, None]) ** 4).sum(axis=1).max(axis=1)
    np.testing.assert_allclose(baseline.fit(typical, seed=0).score(x), wanted, rtol=1e-5)


def test_the_conditional_mean_ignores_calls_in_fewer_than_half_of_the_spectra() -> None:
    noise = np.random.default_rng(0).uniform(0.9, 1.1, (4, 100))
    called = noise.copy()
    called[:, :40] += 50.0
    assert np.abs(conditional_mean(called) - 1).max() < 0.06
    assert called.mean() > 20


def test_a_window_is_only_its_shape_when_it_is_its_own_background() -> None:
    x = sea(5, 3)
    for gamma in (1.0, 2.0):
        fitted = GeneralisedPowerLaw(gamma, interval="window").fit(x, seed=0)
        np.testing.assert_allclose(fitted.score(x + 30), fitted.score(x), rtol=1e-3)


def test_a_tone_that_fills_its_window_is_found_against_typical_sound_only() -> None:
    x = sea(200, 4)
    x[100:, 2] += 10
    labels = np.arange(200) >= 100
    found = {
        interval: roc_auc(
            GeneralisedPowerLaw(interval=interval).fit(sea(100, 5), seed=0).score(x), labels
        )
        for interval in INTERVALS
    }
    assert found["typical"] > 0.99
    assert found["window"] < 0.8


def test_a_brief_sound_is_found_in_a_window_that_is_its_own_background() -> None:
    x = sea(200, 4)
    x[100:, 2, 5] += 25
    fitted = GeneralisedPowerLaw(frames=1, interval="window").fit(x[:100], seed=0)
    assert roc_auc(fitted.score(x), np.arange(200) >= 100) > 0.9


def test_a_narrow_sound_counts_for_more_than_a_broad_one_of_the_same_energy() -> None:
    silence = np.zeros((2, *SHAPE), np.float32)
    silence[0, 2, 5] = 20 * np.log10(1 + np.sqrt(6.0))
    silence[1, :, 5] = 20 * np.log10(2.0)
    scores = GeneralisedPowerLaw(frames=1).fit(sea(50, 0), seed=0).score(silence)
    assert scores[0] > 4 * scores[1]


def test_silence_without_any_change_scores_nothing() -> None:
    flat = np.zeros((2, 6, 20), np.float32)
    for baseline in GeneralisedPowerLaw.variants():
        np.testing.assert_array_equal(baseline.fit(flat, seed=0).score(flat), 0)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SetupError, match=r"power law: found .*gamma=0.*, wanted gamma and frames"):
        GeneralisedPowerLaw(gamma=0)
    with pytest.raises(DataError, match=r"found \(5, 6, 10\), wanted .* of 11 spectra or more"):
        GeneralisedPowerLaw(frames=11).fit(sea(5, 0), seed=0)
    with pytest.raises(DataError, match=r"windows: found \(5, 6, 9\), wanted \(n, 6, 10\)"):
        GeneralisedPowerLaw().fit(sea(5, 0), seed=0).score(sea(5, 0)[:, :, :9])
