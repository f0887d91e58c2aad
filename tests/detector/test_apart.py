"""What stands apart from typical sound is told, and its own tail is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.calibration.apart import stand_apart

RELEASE = 0.4
Floats = NDArray[np.float64]


def noise(count: int, *, seed: int, scale: float = 0.25) -> Floats:
    """Return peaks over the release, as typical sound has them."""
    return RELEASE + scale * np.random.default_rng(seed).exponential(size=count)


def apart(peaks: Floats) -> int:
    return int(stand_apart(peaks, RELEASE).sum())


@pytest.mark.parametrize("count", [20, 100, 1000, 20_000])
def test_of_typical_sound_alone_nothing_stands_apart(count: int) -> None:
    assert not any(apart(noise(count, seed=seed)) for seed in range(20))


@pytest.mark.parametrize(("shape", "most"), [(0.1, 0.001), (0.2, 0.01), (0.5, 0.6)])
def test_of_a_heavier_tail_the_rate_kept_is_little_above_the_promised_one(
    shape: float, most: float
) -> None:
    """The tail is of a generalised Pareto distribution; 24 hours of it and an alarm an hour."""
    lost = []
    for seed in range(50):
        uniform = np.random.default_rng(seed).random(24 * 240)
        lost.append(apart(RELEASE + 0.25 * (uniform**-shape - 1) / shape))
    assert np.mean(lost) / 24 < most


@pytest.mark.parametrize("others", [1, 30, 100, 150])
def test_exactly_what_is_far_out_stands_apart_if_it_is_under_half(others: int) -> None:
    peaks = noise(400, seed=3)
    calls = np.random.default_rng(4).uniform(30.0, 900.0, others)
    found = stand_apart(np.concatenate((peaks, calls)), RELEASE)
    assert not found[:400].any()
    assert found[400:].all()


def test_of_more_calls_than_noise_none_stands_apart_and_all_count() -> None:
    peaks = np.concatenate((noise(100, seed=5), np.random.default_rng(6).uniform(30, 900, 300)))
    assert apart(peaks) == 0


@pytest.mark.parametrize("peaks", [[], [RELEASE], [RELEASE] * 40, [RELEASE] * 30 + [9.0] * 10])
def test_scores_that_saturate_have_no_scale_and_all_count(peaks: list[float]) -> None:
    assert apart(np.array(peaks)) == 0


def test_the_unit_of_the_score_does_not_matter() -> None:
    peaks = np.concatenate((noise(300, seed=7), [40.0, 70.0]))
    found = stand_apart(1000 * peaks, 1000 * RELEASE)
    assert found.tolist() == stand_apart(peaks, RELEASE).tolist()
    assert found.sum() == 2
