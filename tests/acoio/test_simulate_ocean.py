"""The ocean's laws: one sound by its seed, however it is cut, at the stated levels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, welch

from acoio.errors import SetupError
from acoio.header import RECORD_SAMPLES
from acoio.simulate import Ocean, OceanSettings, Truth
from acoio.simulate.calls import CALLS
from acoio.simulate.sounding import loud
from acoio.simulate.streams import RATE_HZ

BEGIN = datetime(2024, 3, 1, 6, 0, tzinfo=UTC)
QUIET = OceanSettings(calls_per_hour=0, ships_per_hour=0, gear_per_hour=0, dc_steps_per_hour=0)
BUSY = OceanSettings(calls_per_hour=400, ships_per_hour=6, gear_per_hour=60, dc_steps_per_hour=30)
# dB re 1 kHz, from docs/format.md.
TABLE = {20: 8, 100: 8, 500: 2, 4000: 4.5, 6000: -4.5, 8000: -19, 10_000: -27, 11_500: -33}


@pytest.fixture(scope="module")
def quiet() -> NDArray[np.float64]:
    """Three minutes of an ocean in which nothing happens, in counts."""
    return Ocean(5, BEGIN, QUIET).piece(0, 1056).astype(np.float64)


@pytest.mark.parametrize("cuts", [(0, 50, 200), (0, 1, 63, 64, 65, 130, 200), (0, 128, 200)])
def test_a_piece_is_the_same_however_it_is_cut(cuts: Sequence[int]) -> None:
    whole = Ocean(3, BEGIN, BUSY).piece(0, 200)
    other = Ocean(3, BEGIN, BUSY)
    spans = list(pairwise(cuts))
    parts = {low: other.piece(low, high - low) for low, high in reversed(spans)}
    np.testing.assert_array_equal(np.concatenate([parts[low] for low, _ in spans]), whole)


def test_a_late_piece_can_be_had_by_itself() -> None:
    by_itself = Ocean(3, BEGIN, BUSY).piece(9000, 3)
    ocean = Ocean(3, BEGIN, BUSY)
    ocean.piece(8800, 150)
    np.testing.assert_array_equal(ocean.piece(8990, 20).reshape(20, -1)[10:13].ravel(), by_itself)


def test_a_seed_is_a_sound_and_another_seed_another() -> None:
    one, same, other = (Ocean(seed, BEGIN, BUSY).piece(70, 4) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert abs(np.corrcoef(np.diff(one), np.diff(other))[0, 1]) < 0.05


def test_the_sea_alone_does_not_change_when_calls_are_taken_out() -> None:
    busy, quiet = Ocean(3, BEGIN, BUSY), Ocean(3, BEGIN, QUIET)
    events = [e for e in busy.truth(600.0) if e.kind != "ship"]
    assert events
    first = min(int((e.begin - BEGIN).total_seconds() * RATE_HZ) for e in events)
    records = min(first // RECORD_SAMPLES, 64)
    still = OceanSettings(
        calls_per_hour=400, ships_per_hour=0, gear_per_hour=60, dc_steps_per_hour=0
    )
    calling = Ocean(3, BEGIN, still)
    np.testing.assert_array_equal(calling.piece(0, records), quiet.piece(0, records))


def test_a_piece_of_no_records_is_empty_and_one_before_the_begin_is_refused() -> None:
    assert Ocean(1, BEGIN, QUIET).piece(7, 0).shape == (0,)
    with pytest.raises(ValueError, match="found 1 from -1"):
        Ocean(1, BEGIN, QUIET).piece(-1, 1)


@pytest.mark.parametrize("hz", TABLE)
def test_the_spectrum_is_that_of_the_table(quiet: NDArray[np.float64], hz: int) -> None:
    bins_hz, power = welch(quiet, RATE_HZ, "blackmanharris", nperseg=1 << 15)
    width_hz = max(3.0, 0.01 * hz)
    near = np.mean(power[abs(bins_hz - hz) < width_hz])
    reference = np.mean(power[abs(bins_hz - 1000.0) < 10.0])
    assert 10 * np.log10(near / reference) == pytest.approx(TABLE[hz], abs=2.0)


def test_there_are_ridges_at_4_2_and_5_7_khz(quiet: NDArray[np.float64]) -> None:
    bins_hz, power = welch(quiet, RATE_HZ, "blackmanharris", nperseg=4096)
    at = {hz: np.mean(power[abs(bins_hz - hz) < 60.0]) for hz in (3600, 4200, 5000, 5700, 6300)}
    assert at[4200] > 2 * at[3600]
    assert at[4200] > 2 * at[5000]
    assert at[5700] > 2 * at[5000]
    assert at[5700] > 2 * at[6300]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_swell_has_93_to_99_9_percent_of_the_variance(seed: int) -> None:
    sound = Ocean(seed, BEGIN).piece(0, 700).astype(np.float64)
    spectrum = np.abs(np.fft.rfft((sound - sound.mean()) * np.hanning(len(sound)))) ** 2
    bins_hz = np.fft.rfftfreq(len(sound), 1.0 / RATE_HZ)
    assert 0.93 < spectrum[bins_hz < 5.0].sum() / spectrum.sum() < 0.999


def test_the_swell_is_tens_of_thousands_of_counts(quiet: NDArray[np.float64]) -> None:
    assert 15_000 < np.abs(quiet).max() < 60_000


def test_above_20_hz_the_background_is_nearly_gaussian_and_steady(
    quiet: NDArray[np.float64],
) -> None:
    high = sosfilt(butter(8, 20.0, "high", fs=RATE_HZ, output="sos"), quiet)[RECORD_SAMPLES * 12 :]
    assert np.mean(high**4) / np.mean(high**2) ** 2 == pytest.approx(3.0, abs=0.2)
    rms = np.sqrt(np.mean(high.reshape(-1, 36 * RECORD_SAMPLES) ** 2, axis=1))
    assert np.ptp(20 * np.log10(rms)) < 4.0


def test_block_borders_cannot_be_heard(quiet: NDArray[np.float64]) -> None:
    steps = np.abs(np.diff(quiet))
    borders = steps[64 * RECORD_SAMPLES - 1 :: 64 * RECORD_SAMPLES]
    assert borders.max() < np.quantile(steps, 0.999)


def _power(sound: NDArray[np.float64], truth: Truth) -> float:
    """Return the power of a sound in a truth's band by Welch, in counts²."""
    bins_hz, power = welch(sound, RATE_HZ, nperseg=min(len(sound), 1 << 14), detrend="constant")
    within = (bins_hz >= truth.low_hz) & (bins_hz <= truth.high_hz)
    return float(power[within].sum() * bins_hz[1])


def _energy(call: NDArray[np.float64], truth: Truth) -> float:
    """Return the energy of a whole call in its band, in counts² samples (Parseval)."""
    energy = np.abs(np.fft.rfft(call)) ** 2
    hz = np.fft.rfftfreq(len(call), 1.0 / RATE_HZ)
    within = (hz >= truth.low_hz) & (hz <= truth.high_hz)
    return float(2.0 * energy[within].sum() / len(call))


def _span(truth: Truth) -> slice:
    ends = ((when - BEGIN).total_seconds() * RATE_HZ for when in (truth.begin, truth.end))
    return slice(*(round(end) for end in ends))


@pytest.mark.parametrize("kind", CALLS)
def test_the_realised_snr_is_the_stated_one(kind: str) -> None:
    calls = OceanSettings(
        calls_per_hour=150, call_kinds=(kind,), ships_per_hour=0, gear_per_hour=0,
        dc_steps_per_hour=0,
    )  # fmt: skip
    ocean, still = Ocean(10, BEGIN, calls), Ocean(10, BEGIN, QUIET)
    records = 1500
    mixed, alone = (o.piece(0, records).astype(np.float64) for o in (ocean, still))
    found = []
    for truth in _apart(ocean.truth(records * RECORD_SAMPLES / RATE_HZ - 20.0)):
        span = _span(truth)
        call = (mixed - alone)[span]
        sounding = loud(np.where(abs(call) < 1.0, 0.0, call).astype(np.float32))
        signal = _energy(call, truth) / np.count_nonzero(sounding)
        wide = slice(max(span.start - 120_000, 0), span.stop + 120_000)
        found.append(10 * np.log10(signal / _power(alone[wide], truth)) - truth.snr_db)
    assert len(found) >= 3
    assert np.max(np.abs(found)) < 1.0, found


def _apart(truths: Sequence[Truth]) -> list[Truth]:
    """Return those truths that sound while no other does."""
    return [t for t in truths if sum(o.begin < t.end and o.end > t.begin for o in truths) == 1]


def test_calls_come_at_the_stated_rate_and_levels() -> None:
    truths = [t for t in Ocean(2, BEGIN).truth(24 * 3600.0) if t.kind == "call"]
    assert len(truths) == pytest.approx(24 * 30, rel=0.2)
    assert {t.label for t in truths} == set(CALLS)
    assert {t.snr_db for t in truths} == {-5.0, 0.0, 5.0, 10.0}


def test_truth_is_in_order_and_its_bands_are_bands() -> None:
    truths = Ocean(3, BEGIN, BUSY).truth(1800.0)
    assert {t.kind for t in truths} == {"call", "ship", "gear"}
    assert list(truths) == sorted(truths, key=lambda t: t.begin)
    assert all(t.begin < t.end for t in truths)
    assert all(0 < t.low_hz < t.high_hz <= RATE_HZ / 2 for t in truths)
    assert Ocean(3, BEGIN, BUSY).truth(600.0) == tuple(
        t for t in truths if (t.begin - BEGIN).total_seconds() < 600.0
    )


def test_a_ship_at_its_nearest_has_the_stated_level() -> None:
    ships = OceanSettings(
        calls_per_hour=0, gear_per_hour=0, dc_steps_per_hour=0, ships_per_hour=1,
        ship_snr_db=(6.0,),
    )  # fmt: skip
    ocean, still = Ocean(1, BEGIN, ships), Ocean(1, BEGIN, QUIET)
    truths = ocean.truth(12 * 3600.0)
    truth = next(t for t in truths if _far_from_others(t, truths))
    middle_s = ((truth.begin - BEGIN) + (truth.end - BEGIN)).total_seconds() / 2
    first = int(middle_s * RATE_HZ) // RECORD_SAMPLES - 60
    mixed, alone = (o.piece(first, 120).astype(np.float64) for o in (ocean, still))
    snr_db = 10 * np.log10(_power(mixed - alone, truth) / _power(alone, truth))
    assert snr_db == pytest.approx(6.0, abs=1.0)


def _far_from_others(truth: Truth, truths: Sequence[Truth]) -> bool:
    margin = truth.end - truth.begin
    low, high = truth.begin - margin, truth.end + margin
    return sum(other.begin < high and other.end > low for other in truths) == 1


def test_settings_that_cannot_be_are_all_named_at_once() -> None:
    with pytest.raises(SetupError) as caught:
        OceanSettings(calls_per_hour=-1, background_rms=0, snr_db=(), call_kinds=("cow",))
    for name in ("calls_per_hour", "background_rms", "snr_db", "call_kinds"):
        assert name in str(caught.value)


def test_both_edges_of_a_step_are_in_the_truth_and_in_the_sound() -> None:
    settings = OceanSettings(
        calls_per_hour=0, ships_per_hour=0, gear_per_hour=0, dc_steps_per_hour=120
    )
    ocean = Ocean(5, BEGIN, settings)
    edges = [t for t in ocean.truth(600.0) if t.label == "dc_step"]
    assert len(edges) >= 4
    smooth = Ocean(5, BEGIN, QUIET)
    for edge in edges[:4]:
        record = int((edge.begin - BEGIN).total_seconds() * 24_000.127 / RECORD_SAMPLES)
        offset = ocean.piece(record, 1) - smooth.piece(record, 1)
        height = abs(int(offset[-1]) - int(offset[0]))
        assert 20 * np.log10(height / settings.background_rms) == pytest.approx(
            edge.snr_db, abs=0.2
        )
