"""Levels are what the standards say, in counts and in µPa."""

from __future__ import annotations

import math

import numpy as np
import pytest

from acoio.calibration import Calibration
from acoio.errors import SetupError

from .tones import hiss, seconds, sound, tone, with_gap

N = 240_000


def test_a_tone_of_known_amplitude_has_known_levels() -> None:
    found = sound(tone(1000, N, amplitude=100).astype(np.float32)).levels()
    assert found.rms_db == pytest.approx(40 - 10 * math.log10(2), abs=1e-4)
    assert found.peak_db == pytest.approx(40, abs=0.01)
    assert found.exposure_db == pytest.approx(found.rms_db + 10, abs=1e-4)
    assert found.reference == "1 count"
    assert found.duration_s == pytest.approx(N / 24_000.127)


def test_a_calibrated_tone_of_a_pascal_is_120_db_re_1_upa() -> None:
    """−160 dB re 1 V/µPa and 2²³ counts for 5 V: 1 Pa gives 0.01 V."""
    calibration = Calibration.from_sensitivity(-160, counts_per_volt=2**23 / 5)
    amplitude = 0.01 * 2**23 / 5 * math.sqrt(2)
    found = sound(tone(1000, N, amplitude=amplitude).astype(np.float32)).levels(calibration)
    assert found.rms_db == pytest.approx(120, abs=1e-3)
    assert found.peak_db == pytest.approx(120 + 3.0103, abs=0.01)
    assert found.reference == "1 µPa"


def test_gaps_do_not_make_a_sound_quieter() -> None:
    whole = sound(tone(1000, N).astype(np.float32))
    found = with_gap(whole, 48_000, 96_000).levels()
    assert found.rms_db == pytest.approx(whole.levels().rms_db, abs=1e-3)
    assert found.duration_s == pytest.approx(8, rel=1e-5)
    with pytest.raises(ValueError, match="nothing but gaps"):
        with_gap(whole, 0, N).levels()


def test_silence_is_minus_infinity() -> None:
    assert sound(np.zeros(5000, np.int32)).levels().rms_db == -math.inf


def test_bands_are_those_of_the_standard() -> None:
    """IEC 61260-1, annex E: exact and nominal centres, base ten."""
    bands = sound(hiss(N).astype(np.float32)).decidecade_levels()
    assert bands.nominal_hz[:11].tolist() == pytest.approx(
        [10, 12.5, 16, 20, 25, 31.5, 40, 50, 63, 80, 100]
    )
    assert bands.nominal_hz[-1] == 10_000
    k = bands.nominal_hz.tolist().index(1250)
    assert bands.centre_hz[k] == pytest.approx(1258.93, abs=0.01)
    assert (bands.low_hz[k], bands.high_hz[k]) == pytest.approx((1122.02, 1412.54), abs=0.01)
    assert np.array_equal(bands.high_hz[:-1], bands.low_hz[1:])


def test_the_bands_of_noise_add_up_to_the_broadband_power() -> None:
    whole = sound(hiss(N).astype(np.float32))
    bands = whole.decidecade_levels()
    inside = (bands.high_hz[-1] - bands.low_hz[0]) / 12_000
    wanted_db = 10 * math.log10(50**2 * inside)
    assert bands.broadband_db == pytest.approx(wanted_db, abs=0.1)
    each_db = 10 * np.log10(50**2 * (bands.high_hz - bands.low_hz) / 12_000)
    assert bands.level_db[10:] == pytest.approx(each_db[10:], abs=1)
    spectrum = whole.power(frame_samples=24_000, hop_samples=12_000)
    between = (spectrum.hz > bands.low_hz[0]) & (spectrum.hz < bands.high_hz[-1])
    exact_db = 10 * math.log10(spectrum.power[between].sum())
    assert bands.broadband_db == pytest.approx(exact_db, abs=0.005)


def test_a_tone_lies_in_its_band_and_no_other() -> None:
    calibration = Calibration(0.5)
    bands = sound(tone(63, N).astype(np.float32)).decidecade_levels(calibration, low_hz=25)
    k = bands.nominal_hz.tolist().index(63)
    assert bands.level_db[k] == pytest.approx(40 - 3.0103 + 6.0206, abs=0.1)
    assert max(np.delete(bands.level_db, k)) < bands.level_db[k] - 40
    assert (bands.nominal_hz[0], bands.reference) == (25, "1 µPa")


def test_bands_that_cannot_be_told_are_refused() -> None:
    whole = sound(hiss(N).astype(np.float32))
    with pytest.raises(ValueError, match="found none from 500 Hz to 100 Hz"):
        whole.decidecade_levels(low_hz=500, high_hz=100)
    with pytest.raises(ValueError, match="narrower than the lowest band"):
        whole[: seconds(0.1)].decidecade_levels()
    assert whole[: seconds(0.1)].decidecade_levels(low_hz=200).nominal_hz[0] == 200


def test_low_bands_are_told_of_a_sound_that_is_long_enough() -> None:
    whole = sound((hiss(3 * N) + tone(1, 3 * N, amplitude=1000)).astype(np.float32))
    for each in (whole, with_gap(whole, N, 2 * N)):
        bands = each.decidecade_levels(low_hz=1)
        assert bands.nominal_hz[0] == 1
        assert bands.level_db[0] == pytest.approx(60 - 3.0103, abs=1.5)
    with pytest.raises(ValueError, match=r"bins of .* Hz in 0:00:02.* narrower than the lowest"):
        whole[: seconds(2)].decidecade_levels(low_hz=1)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.inf, math.nan, "x"])
def test_a_calibration_that_cannot_be_is_refused(wrong: float) -> None:
    with pytest.raises(SetupError, match="wanted over 0"):
        Calibration(wrong)
