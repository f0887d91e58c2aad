"""Levels and trivial baselines are what they are called, a piece at a time."""

from __future__ import annotations

import numpy as np
import pytest

from acoio.errors import DataError, SetupError
from benchmarks.baselines import (
    Baseline,
    Ink,
    LevelLargest,
    LevelOver,
    LevelTop,
    Loudness,
    Peakedness,
)
from benchmarks.baselines.base import _CHUNK, some


def test_levels_are_what_they_are_called() -> None:
    x = np.zeros((2, 10, 10), np.float32)
    x[0, 3, 3], x[0, 4, 4] = 9.0, 5.0
    x[1] = 2.0

    def scored(baseline: Baseline) -> list[float]:
        return [float(value) for value in baseline.fit(x, seed=0).score(x)]

    assert scored(LevelLargest()) == [9.0, 2.0]
    assert scored(LevelTop(0.02)) == [7.0, 2.0]
    assert scored(LevelTop(0.001)) == [9.0, 2.0]  # at least one bin
    assert scored(LevelOver(3.0)) == [8.0, 0.0]
    assert scored(LevelOver(1.0)) == [12.0, 100.0]
    assert scored(Ink()) == pytest.approx([0.14, 2.0])
    power = (98 + 10**0.9 + 10**0.5) / 100
    assert scored(Loudness()) == pytest.approx([10 * np.log10(power), 2.0])
    assert scored(Peakedness()) == pytest.approx([9 - 10 * np.log10(power), 0.0], abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    with pytest.raises(SetupError, match=rf"share: found {share:g}, wanted over 0, to 1"):
        LevelTop(share)


@pytest.mark.parametrize("family", [Ink, Loudness, Peakedness])
def test_a_trivial_baseline_turned_round_ranks_backwards(
    family: type[Ink] | type[Loudness] | type[Peakedness],
) -> None:
    x = np.random.default_rng(0).normal(size=(20, 12, 8)).astype(np.float32)
    more, less = (family(sign).fit(x, seed=0).score(x) for sign in (1, -1))
    np.testing.assert_array_equal(more, -less)


def test_a_broken_window_is_named_wherever_it_lies() -> None:
    x = np.zeros((_CHUNK + 9, 2, 2), np.float32)
    x[_CHUNK + 5, 1, 1] = np.inf
    with pytest.raises(DataError, match=rf"not finite in {_CHUNK + 5}, wanted none"):
        LevelLargest().fit(x, seed=0)


def test_what_is_fitted_is_a_bounded_share_drawn_by_the_seed() -> None:
    x = np.arange(50, dtype=np.float32).reshape(50, 1, 1)
    chosen = some(x, 10, seed=1)[:, 0, 0]
    assert len(chosen) == 10 and (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(some(x, 10, seed=1)[:, 0, 0], chosen)
    assert set(some(x, 10, seed=2)[:, 0, 0]) != set(chosen)
    assert some(x, 50, seed=1) is x
