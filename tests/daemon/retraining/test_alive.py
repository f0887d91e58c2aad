"""A louder sea is followed; a hydrophone that dies is told by its levels."""

from __future__ import annotations

import numpy as np
import pytest

from daemon.retraining.alive import ailments, health_of, missing_sound, quantile_db
from detector.calibration.tally import BINS, LOWEST_DB, Floats, Tally
from detector.config import FeatureSettings

BANDS = FeatureSettings().bands
EDGES_HZ = FeatureSettings().band_edges_hz
LOW = EDGES_HZ[1:] <= 200.0
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
    return list(ailments(health_of(BEFORE, heard(levels_db), EDGES_HZ), "now"))


@pytest.mark.parametrize("louder_db", [0, 3, 10, 30])
def test_a_louder_sea_is_well(louder_db: float) -> None:
    assert said(SEA_DB + louder_db) == []


def test_wind_that_lifts_the_high_bands_is_well() -> None:
    assert said(SEA_DB + np.linspace(0, 12, BANDS)) == []


@pytest.mark.parametrize("calmer_db", [3, 10, 18])
def test_a_calm_day_is_well(calmer_db: float) -> None:
    assert said(SEA_DB - np.where(LOW, 0, calmer_db)) == []


@pytest.mark.parametrize("span_hz", [(14.0, 45.0), (80.0, 1000.0), (90.0, 2000.0)])
def test_a_chorus_of_whales_that_ends_is_well(span_hz: tuple[float, float]) -> None:
    sung = (EDGES_HZ[:-1] >= span_hz[0]) & (EDGES_HZ[1:] <= span_hz[1])
    assert said(SEA_DB - np.where(sung, 8, 0)) == []


@pytest.mark.parametrize("hiss_db", [0, 6])
def test_a_hydrophone_that_hears_less_is_told_before_a_third_is_lost(hiss_db: float) -> None:
    assert said(SEA_DB - 4) == []  # some of the calibration was as quiet
    (told,) = said(SEA_DB + np.where(LOW, -6, hiss_db))
    assert "found 100% of the octaves up to 200 Hz" in told
    assert "3 dB or more below the calibration, wanted at most 50%" in told


def test_where_the_calibration_varied_less_a_smaller_fall_is_told() -> None:
    before, now = (heard(SEA_DB + db, spread_db=1.0) for db in (0, -3.6))
    assert len(list(ailments(health_of(before, now, EDGES_HZ), "now"))) == 1


def test_high_bands_that_are_all_but_gone_are_told() -> None:
    (told,) = said(SEA_DB - np.where(LOW, 0, 25))
    assert "of the bands 12 dB below the quietest" in told


def test_a_model_without_low_bands_is_examined_by_the_others() -> None:
    high = EDGES_HZ + 300.0
    assert health_of(BEFORE, heard(SEA_DB - 6), high).fallen == 0.0


def test_flat_noise_is_told_however_loud() -> None:
    for level_db in (20.0, 60.0, 90.0):
        assert any("flat noise is not the sea's" in x for x in said(np.full(BANDS, level_db)))


def test_a_channel_that_dies_now_and_then_is_told() -> None:
    found = list(ailments(health_of(BEFORE, heard(SEA_DB), EDGES_HZ, silent=0.032), "now"))
    assert len(found) == 1 and "found 3.2% of the sound that of a dead channel" in found[0]


def test_missing_sound_is_told_where_it_was_not_missing_before() -> None:
    assert "found 40% of the newest days missing" in next(missing_sound(0.0, 0.4))
    assert not list(missing_sound(0.0, 0.2))
    assert not list(missing_sound(0.9, 0.9))  # a recorder that wakes now and then


def test_the_quantile_is_that_of_the_levels() -> None:
    assert quantile_db(BEFORE, 0.5) == pytest.approx(SEA_DB, abs=1.01)
    assert quantile_db(BEFORE, 0.01) == pytest.approx(SEA_DB - 7, abs=2.0)
