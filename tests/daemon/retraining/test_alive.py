"""A louder sea is followed; a hydrophone that dies is told by its levels."""

from __future__ import annotations

import numpy as np
import pytest

from daemon.retraining.alive import ailments, health_of, missing_sound, quantile_db, summed
from detector.tally import BINS, LOWEST_DB, Floats, Tally

BANDS = 24
SEA_DB = 60.0 - 20.0 * np.linspace(0, 2, BANDS)  # falls by 40 dB over the bands


def heard(levels_db: Floats, *, spread_db: float = 3.0, windows: int = 3000) -> Tally:
    """Return the counts of windows whose levels stray about these, (F,)."""
    rng = np.random.default_rng(1)
    found = levels_db + rng.normal(0, spread_db, (windows, 1))
    cells = np.clip(np.floor(found).astype(int) - LOWEST_DB, 0, BINS - 1)
    levels = np.stack([np.bincount(column, minlength=BINS) for column in cells.T])
    return Tally(np.array([windows]), levels)


BEFORE = heard(SEA_DB)


def said(levels_db: Floats) -> list[str]:
    return list(ailments(health_of(BEFORE, heard(levels_db)), "now"))


@pytest.mark.parametrize("louder_db", [0, 3, 10, 30])
def test_a_louder_sea_is_well(louder_db: float) -> None:
    assert said(SEA_DB + louder_db) == []


def test_wind_that_lifts_the_high_bands_is_well() -> None:
    assert said(SEA_DB + np.linspace(0, 12, BANDS)) == []


def test_a_calm_day_is_well() -> None:
    assert said(SEA_DB - 8) == []  # the quietest hundredth was 7 dB below the mean


def test_a_hydrophone_that_hears_less_is_told() -> None:
    assert "hears less" in said(SEA_DB - 20)[0]
    deaf_to_low = SEA_DB - np.where(np.arange(BANDS) < BANDS / 2, 20, 0)
    assert "found 50% of the bands 6 dB below" in said(deaf_to_low)[0]
    assert said(SEA_DB - np.where(np.arange(BANDS) < BANDS / 4, 20, 0)) == []


def test_flat_noise_is_told_however_loud() -> None:
    for level_db in (20.0, 60.0, 90.0):
        assert any("flat noise is not the sea's" in x for x in said(np.full(BANDS, level_db)))


def test_digital_silence_is_told() -> None:
    silence = heard(np.full(BANDS, LOWEST_DB + 0.5), spread_db=0.0, windows=100)
    now = summed([heard(SEA_DB), silence])
    found = list(ailments(health_of(BEFORE, now), "now"))
    assert len(found) == 1 and "found 3.2% of the windows without any sound" in found[0]


def test_missing_sound_is_told_where_it_was_not_missing_before() -> None:
    assert "found 40% of the newest days missing" in next(missing_sound(0.0, 0.4))
    assert not list(missing_sound(0.0, 0.2))
    assert not list(missing_sound(0.9, 0.9))  # a recorder that wakes now and then


def test_the_quantile_is_that_of_the_levels() -> None:
    assert quantile_db(BEFORE, 0.5) == pytest.approx(SEA_DB, abs=1.0)
    assert quantile_db(BEFORE, 0.01) == pytest.approx(SEA_DB - 7, abs=2.0)
