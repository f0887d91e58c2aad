"""Network input: noise of unit variance, calls standing out, restless bands held back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import skew

from acoio.errors import DataError
from detector.features.normalise import fit_normalisation
from detector.training.data import levels_of
from detector.values import Window

from .sounds import BEGIN

BANDS, COLUMNS = 4, 24


def noise_db(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Return levels of single bins of noise above their median, (n, F, T) dB."""
    power = np.random.default_rng(seed).exponential(size=(count, BANDS, COLUMNS))
    return np.asarray(10 * np.log10(power / np.log(2)), np.float32)


def windows(excess_db: NDArray[np.float32], spread_db: float = 3.0) -> list[Window]:
    spread = np.full(BANDS, spread_db, np.float32)
    return [Window(BEGIN, BEGIN, excess, spread, spread, "a", 0) for excess in excess_db]


def test_noise_gets_zero_mean_and_unit_variance_and_is_even_on_both_sides() -> None:
    normalise = fit_normalisation(levels_of([windows(noise_db(800))]))
    x = normalise(windows(noise_db(800, seed=1)))
    assert x.dtype == np.float32
    assert x.mean() == pytest.approx(0, abs=0.02)
    assert x.std() == pytest.approx(1, abs=0.02)
    assert abs(skew(x.ravel())) < 0.25 < abs(skew(noise_db(800, seed=1).ravel()))


def test_a_louder_place_stands_out_further_until_nothing_more_is_said() -> None:
    normalise = fit_normalisation(levels_of([windows(noise_db(400))]))
    levels = np.zeros((6, BANDS, COLUMNS), np.float32)
    levels[:, 0, 0] = 0, 5, 10, 20, 60, 90
    quiet, *rising, loud, louder = normalise(windows(levels))[:, 0, 0].tolist()
    assert [quiet, *rising] == sorted([quiet, *rising])
    assert rising[1] > 3
    assert loud == louder == 12


def test_a_band_that_has_been_restless_is_believed_the_less() -> None:
    """With twice the usual spread 20 dB count as 10; with less than usual, as 20."""
    normalise = fit_normalisation(levels_of([windows(noise_db(400), spread_db=3.0)]))
    twenty, ten = (np.full((1, BANDS, COLUMNS), level, np.float32) for level in (20, 10))
    assert np.allclose(normalise(windows(twenty, 6.0)), normalise(windows(ten, 3.0)))
    assert np.allclose(normalise(windows(twenty, 1.0)), normalise(windows(twenty, 3.0)))


def test_many_windows_at_once_give_what_each_gives() -> None:
    normalise = fit_normalisation(levels_of([windows(noise_db(400))]))
    some = windows(noise_db(30, seed=2), spread_db=4.0)
    many = normalise.of(levels_of([some[:10], [], some[10:]]))
    assert many.dtype == np.float16
    assert np.allclose(many, normalise(some), atol=0.03)


def test_the_statistics_do_not_depend_on_how_windows_come() -> None:
    some = windows(noise_db(3000))
    first = fit_normalisation(levels_of([some]))
    second = fit_normalisation(levels_of([some[:7], some[7:]]))
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.deviation, second.deviation)


def test_no_windows_are_refused() -> None:
    with pytest.raises(DataError, match="found none"):
        levels_of([[]])


def test_a_band_that_is_always_alike_is_refused() -> None:
    dead = noise_db(50)
    dead[:, 2] = 0
    with pytest.raises(DataError, match=r"found bands \[2\] always alike"):
        fit_normalisation(levels_of([windows(dead)]))
