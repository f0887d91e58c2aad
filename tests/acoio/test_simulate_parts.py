"""Laws of the ocean's parts: calls, swell, noise, truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import welch

from acoio.errors import DataError
from acoio.header import RECORD_SAMPLES
from acoio.simulate import Truth, read_truth, write_truth
from acoio.simulate.calls import CALLS
from acoio.simulate.gear import GEAR
from acoio.simulate.schedule import BIN_S, BOUTS, REACH_BINS, cues
from acoio.simulate.sounding import at_level, band_of, loud
from acoio.simulate.spectrum import sea_shaper, shape
from acoio.simulate.streams import RATE_HZ, Stream, keyed, white
from acoio.simulate.swell import Step, swell

BEGIN = datetime(2024, 3, 1, 6, 0, tzinfo=UTC)
# Low and high end of a call's band (Hz), shortest and longest (s).
LIMITS = {
    "humpback_unit": (40, 4500, 0.3, 4.5),
    "minke_boing": (900, 3200, 1.5, 5.0),
    "downsweep": (10, 130, 0.5, 2.1),
    "sperm_clicks": (1000, 10_000, 1.0, 25.0),
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_call_keeps_within_its_band_and_length(kind: str) -> None:
    low_hz, high_hz, shortest_s, longest_s = LIMITS[kind]
    for voice in range(20):
        call = CALLS[kind](keyed(voice, Stream.VOICE), keyed(voice, Stream.SHAPE))
        low, high = band_of(call)
        assert call.dtype == np.float32
        assert np.isfinite(call).all()
        assert low_hz < low < high < high_hz
        assert shortest_s < len(call) / RATE_HZ < longest_s


@pytest.mark.parametrize("maker", [*CALLS.values(), *GEAR.values()])
def test_a_sound_is_a_pure_function_of_its_keys(maker: object) -> None:
    assert callable(maker)
    one, same, other = (maker(keyed(1, Stream.VOICE), keyed(k, Stream.SHAPE)) for k in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", CALLS)
def test_voices_of_a_kind_differ(kind: str) -> None:
    lengths = {len(CALLS[kind](keyed(v, Stream.VOICE), keyed(0, Stream.SHAPE))) for v in range(10)}
    assert len(lengths) >= 9


def test_a_waveform_at_a_level_has_that_power_where_it_sounds() -> None:
    clicks = CALLS["sperm_clicks"](keyed(1, Stream.VOICE), keyed(1, Stream.SHAPE))
    sounding = loud(clicks)
    scaled = at_level(clicks, 100.0)
    assert sounding.mean() < 0.5
    assert np.mean(scaled[sounding] ** 2) == pytest.approx(100.0 / 0.98, rel=1e-3)


def test_no_visit_outlasts_the_bins_that_are_looked_back_on() -> None:
    longest = 0
    for label in BOUTS:
        for bin_index in range(300):
            begins = [cue.begin for cue in cues(1, bin_index, label, 60.0)]
            late = max(begins, default=0) - bin_index * round(BIN_S * RATE_HZ)
            longest = max(longest, late)
    assert longest + 25 * RATE_HZ < REACH_BINS * BIN_S * RATE_HZ


def test_the_swell_has_its_rms_and_nothing_above_its_lines() -> None:
    sound = swell(1, 9000.0).at(0, 1500).astype(np.float64)
    hz, power = welch(sound, RATE_HZ, "blackmanharris", nperseg=1 << 16)
    _, sea_power = welch(_sea(300), RATE_HZ, "blackmanharris", nperseg=1 << 14)
    assert sound.std() == pytest.approx(9000.0, rel=0.15)
    assert power[hz > 10.0].max() < 1e-6 * sea_power[5:].max()


def test_noise_has_its_rms_and_bands_add_up() -> None:
    shaper = sea_shaper(1500.0)
    bands = [shaper.band_power(low, low + 1000.0) for low in range(0, 12_000, 1000)]
    assert sum(bands) == pytest.approx(1500.0**2, rel=1e-3)
    assert _sea(300).std() == pytest.approx(1500.0, rel=0.02)


def test_band_power_is_what_welch_finds() -> None:
    hz, power = welch(_sea(600), RATE_HZ, nperseg=1 << 14)
    for low_hz, high_hz in ((30.0, 90.0), (200.0, 400.0), (1000.0, 1500.0), (3000.0, 9000.0)):
        found = power[(hz >= low_hz) & (hz < high_hz)].sum() * hz[1]
        wanted = sea_shaper(1500.0).band_power(low_hz, high_hz)
        assert 10 * np.log10(found / wanted) == pytest.approx(0.0, abs=0.5)


def _sea(records: int) -> NDArray[np.float64]:
    return shape(white(1, Stream.SEA, -1, records + 1), sea_shaper(1500.0))[0].astype(np.float64)


def test_white_noise_depends_on_the_record_alone() -> None:
    whole = white(9, Stream.SEA, -2, 6).reshape(6, RECORD_SAMPLES)
    np.testing.assert_array_equal(white(9, Stream.SEA, 1, 2), whole[3:5].ravel())


def test_a_step_is_heard_from_its_begin_to_its_end_in_any_block() -> None:
    step = Step(begin=100, end=250, counts=7.0)
    whole = np.zeros(400, np.float32)
    step.add_to(whole, 0)
    parts = [np.zeros(50, np.float32) for _ in range(8)]
    for k, part in enumerate(parts):
        step.add_to(part, 50 * k)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(np.flatnonzero(whole), np.arange(100, 250))


def test_truth_is_read_as_it_was_written(tmp_path: Path) -> None:
    later = BEGIN + timedelta(microseconds=1_234_567)
    truths = (
        Truth(BEGIN, later, 80.123456789, 4000.0, "humpback, a unit", -5.0, "call"),
        Truth(later, later + timedelta(minutes=9), 30.0, 1000.0, "ship", 6.0, "ship"),
    )
    write_truth(tmp_path / "truth.csv", truths)
    assert read_truth(tmp_path / "truth.csv") == truths


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2024-03-01T06:00:00+00:00,soon,1,2,x,0,call", "line 2: end: found 'soon'"),
        ("2024-03-01T06:00:00+00:00,2024-03-01T06:00:01+00:00,1,2,x,0,cow", "found kind 'cow'"),
        (
            "2024-03-01T06:00:00+00:00,2024-03-01T06:00:01+00:00,low,2,x,0,call",
            "line 2: low_hz: found",
        ),
    ],
)
def test_a_wrong_line_of_truth_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(f"begin,end,low_hz,high_hz,label,snr_db,kind\n{line}\n")
    with pytest.raises(DataError, match=message):
        read_truth(path)


def test_a_missing_column_of_truth_is_named(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("begin,end,low_hz\n")
    with pytest.raises(DataError, match="found no column high_hz, label, snr_db, kind"):
        read_truth(tmp_path / "truth.csv")
