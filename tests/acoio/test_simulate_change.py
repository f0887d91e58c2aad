"""What changes over a month is as pure as the rest: a function of seed and time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import welch

from acoio.errors import SetupError
from acoio.header import RECORD_SAMPLES
from acoio.simulate import Ocean, OceanSettings
from acoio.simulate.hydrophone import Failing
from acoio.simulate.streams import RATE_HZ

BEGIN = datetime(2024, 3, 1, 6, 0, tzinfo=UTC)
PLAIN = OceanSettings(calls_per_hour=0, ships_per_hour=0, gear_per_hour=0, dc_steps_per_hour=0)
RISING = replace(PLAIN, rise_db=((15.0, 12.0), (1000.0, 6.0), (10_000.0, 6.0)), gusts_db=1.0)
DYING = replace(PLAIN, failing=Failing())
DAY = round(86_400 * RATE_HZ / RECORD_SAMPLES)


def level_db(ocean: Ocean, day: int, low_hz: float, high_hz: float) -> float:
    hz, power = welch(ocean.piece(day * DAY, 128), RATE_HZ, nperseg=8192)
    within = (hz >= low_hz) & (hz < high_hz)
    return float(10 * np.log10(power[within].mean()))


@pytest.mark.parametrize("settings", [RISING, DYING])
def test_a_late_piece_is_the_same_however_it_is_cut(settings: OceanSettings) -> None:
    first = 20 * DAY
    whole = Ocean(3, BEGIN, settings).piece(first, 140).reshape(140, -1)
    other = Ocean(3, BEGIN, settings)
    for low, high in ((100, 140), (0, 1), (1, 100)):
        part = other.piece(first + low, high - low)
        np.testing.assert_array_equal(part, whole[low:high].ravel())


def test_the_sea_rises_by_as_much_as_is_said_and_a_calm_one_does_not_change() -> None:
    rising, plain = Ocean(3, BEGIN, replace(RISING, gusts_db=0)), Ocean(3, BEGIN, PLAIN)
    for low_hz, high_hz, wanted_db in ((20, 100, 6.5), (1000, 9000, 3.0)):
        risen_db = level_db(rising, 15, low_hz, high_hz) - level_db(plain, 15, low_hz, high_hz)
        assert risen_db == pytest.approx(wanted_db, abs=1.5)
    np.testing.assert_array_equal(rising.piece(0, 64), plain.piece(0, 64))


def test_gusts_make_the_level_stray_within_seconds() -> None:
    def stray_db(settings: OceanSettings) -> float:
        sound = Ocean(3, BEGIN, settings).piece(30 * DAY, 256).astype(np.float64)
        steps = np.diff(sound).reshape(-1)[: 255 * RECORD_SAMPLES].reshape(255, -1)
        return float(np.std(10 * np.log10((steps**2).mean(axis=1))))

    assert stray_db(replace(RISING, gusts_db=3.0)) > stray_db(PLAIN) + 1.0


def test_a_dying_hydrophone_loses_low_bands_first_hums_and_falls_silent() -> None:
    dying, plain = Ocean(3, BEGIN, DYING), Ocean(3, BEGIN, PLAIN)

    def lost_db(low_hz: float, high_hz: float) -> float:
        return level_db(plain, 15, low_hz, high_hz) - level_db(dying, 15, low_hz, high_hz)

    assert lost_db(20, 40) > 12
    assert 3 < lost_db(400, 900) < 12
    assert lost_db(55, 65) < lost_db(40, 50) - 6  # the mains
    assert _silent(dying.piece(29 * DAY, 640)) > 0.005
    assert _silent(plain.piece(29 * DAY, 640)) == 0.0
    assert _silent(dying.piece(0, 640)) == 0.0


def test_a_table_that_does_not_rise_is_refused() -> None:
    with pytest.raises(SetupError, match="wanted Hz above 0 and rising"):
        OceanSettings(rise_db=((100.0, 1.0), (50.0, 2.0)))


def _silent(samples: NDArray[np.int32]) -> float:
    """Return which share of the records is digital silence in its middle."""
    middles = samples.reshape(-1, RECORD_SAMPLES)[:, 1000:3000]
    return float((middles == 0).all(axis=1).mean())
