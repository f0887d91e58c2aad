"""Filters pass what they should, at the time it was; rates change and times do not."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from acoio.clock import true_rate_hz
from acoio.sound import Sound

from .feeds import RATE_HZ, noise
from .tones import SWELL, hiss, seconds, sound, tone, with_gap

N = 40 * 4096
INNER = slice(N // 4, -N // 4)


def butterworth_db(hz: float, edge_hz: float, *, high: bool) -> float:
    """Return |H|² of order 4, bilinear, run forth and back."""
    warped = np.tan(np.pi * hz / RATE_HZ) / np.tan(np.pi * edge_hz / RATE_HZ)
    return float(-20 * np.log10(1 + (1 / warped if high else warped) ** 8))


def gain_db(filtered: Sound, hz: float) -> float:
    wanted = tone(hz, N)[INNER]
    return float(20 * np.log10(filtered.samples[INNER] @ wanted / (wanted @ wanted)))


@pytest.mark.parametrize("hz", [300.0, 500, 700, 1000, 2000, 3000, 8000])
def test_a_tone_is_weakened_as_the_formula_says_and_not_delayed(hz: float) -> None:
    original = sound(tone(hz, N).astype(np.float32))
    low_db = butterworth_db(hz, 2000, high=False)
    high_db = butterworth_db(hz, 700, high=True)
    assert gain_db(original.highpass(700), hz) == pytest.approx(high_db, abs=0.01)
    if low_db > -90:
        assert gain_db(original.lowpass(2000), hz) == pytest.approx(low_db, abs=0.01)


def test_a_band_passes_and_what_is_beside_it_stops() -> None:
    mixed = tone(50, N) + tone(1000, N) + tone(9000, N)
    band = sound(mixed.astype(np.float32)).bandpass(300, 3000)
    assert band.samples.dtype == np.float32
    left = band.samples[INNER] - tone(1000, N)[INNER]
    assert np.abs(left).max() < 0.01


def test_a_swell_a_thousand_times_stronger_goes_and_the_call_stays() -> None:
    swell = tone(0.11, N, amplitude=SWELL)
    call = tone(100, N, amplitude=SWELL / 1000)
    heard = sound((swell + call).astype(np.int32)).highpass(20)
    left = heard.samples[INNER] - call[INNER]
    assert np.abs(left).max() < 2  # the counts were whole
    assert abs(float(np.mean(left))) < 1e-3


@pytest.mark.parametrize("hz", [10.0, 100.0])
def test_blocks_give_what_the_whole_would(hz: float) -> None:
    samples = (tone(0.11, 3 << 18, amplitude=SWELL) + hiss(3 << 18)).astype(np.int32)
    sos = scipy.signal.butter(4, hz, "highpass", output="sos", fs=RATE_HZ)
    whole = scipy.signal.sosfiltfilt(sos, samples.astype(np.float64), padlen=30_000)
    filtered = sound(samples).highpass(hz).samples
    assert np.abs(filtered - whole)[25_000:-25_000].max() < 1e-4  # ends are not scipy's


def test_a_gap_stays_silent_and_does_not_click() -> None:
    swell = sound(tone(0.11, N, amplitude=SWELL).astype(np.float32))
    filtered = with_gap(swell, 50_000, 60_000).highpass(20)
    assert not filtered.samples[50_000:60_000].any()
    assert filtered.stretches() == [(0, 50_000), (60_000, N)]
    assert np.abs(filtered.samples).max() < 5e-4 * SWELL


@pytest.mark.parametrize("hz", [10.0, 20.0])
def test_a_slice_filtered_is_the_filtered_sliced_but_for_little_at_its_ends(hz: float) -> None:
    whole = sound(np.rint(tone(0.11, N, amplitude=SWELL) + 3000 * hiss(N)).astype(np.int32))
    wanted = whole.highpass(hz)
    off = []
    for first in range(30_000, 110_000, 4000):
        last = first + 24_000
        found = whole.piece(first, last).highpass(hz).samples
        off.append(np.abs(found - wanted.samples[first:last]).max())
    rms = float(np.std(wanted.samples))
    assert np.median(off) < 0.2 * rms
    assert max(off) < rms


def test_a_filter_needs_a_frequency_of_the_sound() -> None:
    whole = sound(noise(1))
    for wrong in (0, -5, 12_000):
        with pytest.raises(ValueError, match="wanted over 0 and under 12000 Hz"):
            whole.lowpass(wrong)
    with pytest.raises(ValueError, match="wanted low below high"):
        whole.bandpass(500, 500)


@pytest.mark.parametrize("hz", [1e-12, 1e-9, 1e-5, 12_000 - 1e-9])
def test_a_frequency_too_near_the_edge_to_tell_is_refused(hz: float) -> None:
    whole = sound(noise(1))
    for wrong in (whole.highpass, whole.lowpass, lambda edge: whole.bandpass(edge, edge + 1e-9)):
        with pytest.raises(ValueError, match="wanted over 0 and under 12000 Hz"):
            wrong(hz)


def test_a_frequency_far_below_the_sea_is_filtered_all_the_same() -> None:
    assert np.isfinite(sound(noise(1)).highpass(0.0025).samples).all()


def test_the_shortest_sound_is_filtered_too() -> None:
    for n in (1, 2, 50):
        assert len(sound(noise(1)[:n]).highpass(20).samples) == n


@pytest.mark.parametrize("rate_hz", [2000.0, 3200, 22_050, 44_100, 96_000])
def test_a_resampled_tone_keeps_its_pitch_and_its_time(rate_hz: float) -> None:
    mixed = tone(0.11, N, amplitude=SWELL) + tone(700, N)
    other = sound(mixed.astype(np.int32)).resample_fs(rate_hz)
    n = len(other.samples)
    wanted = tone(0.11, n, amplitude=SWELL, rate_hz=rate_hz) + tone(700, n, rate_hz=rate_hz)
    inner = slice(n // 8, -n // 8)
    assert np.abs(other.samples - wanted)[inner].max() < 1.5
    assert other.rate_hz == rate_hz
    assert abs(other.end - sound(mixed).end) < timedelta(seconds=1 / rate_hz)
    steps_s = np.diff(other.marks_us) / 1e6
    assert steps_s == pytest.approx(4096 / true_rate_hz(rate_hz), abs=2e-6)


@given(first=st.integers(0, N - 9000), up=st.sampled_from([1600, 10_000, 36_000]))
@settings(max_examples=10)
def test_a_click_stays_where_it_was(first: int, up: int) -> None:
    samples = np.zeros(N, np.int32)
    samples[first + 4000] = 10_000
    whole = sound(samples)
    other = whole.resample_fs(up)
    found = other.time_of(int(np.argmax(np.abs(other.samples))))
    assert abs(found - whole.time_of(first + 4000)) <= seconds(0.5 / up + 5e-6)


def test_what_is_over_the_new_nyquist_frequency_is_taken_out() -> None:
    whole = sound((tone(1000, N) + tone(1650, N) + tone(5000, N)).astype(np.float32))
    other = whole.resample_fs(3200)
    inner = slice(1000, -1000)
    wanted = tone(1000, len(other.samples), rate_hz=3200)
    assert np.abs(other.samples - wanted)[inner].max() < 0.01


def test_a_count_or_a_factor_is_what_comes() -> None:
    whole = sound(hiss(N).astype(np.float32))
    for count in (N // 3, N, 100_003):
        other = whole.resample(count)
        assert len(other.samples) == count
        assert abs(other.end - whole.end) < timedelta(milliseconds=1)
    assert len(whole.resample(0.25).samples) == N // 4
    assert np.abs(whole.resample(N).samples - whole.lowpass(11_999).samples).std() < 25


def test_gaps_and_the_place_in_the_file_survive_another_rate() -> None:
    holed = with_gap(sound(hiss(N).astype(np.float32)), 48_000, 72_000)
    other = replace(holed, sample=2400).resample_fs(2400)
    assert abs(other.gaps[0].begin - holed.gaps[0].begin) <= seconds(1e-6)
    assert abs(other.gaps[0].end - holed.gaps[0].end) <= seconds(1e-6)
    assert not other.samples[4800:7200].any()
    assert other.samples[:4800].all()
    assert other.samples[7200:].all()
    assert other[seconds(0.1) :].sample == 240 + 240


@pytest.mark.parametrize("rate_hz", [44_100.0, 10_007.0, 96_000.0])
@pytest.mark.parametrize(("first", "last"), [(50_001, 60_007), (50_001, N), (0, 7), (99, 100)])
def test_gaps_lie_where_the_resampled_samples_are_zero(
    rate_hz: float, first: int, last: int
) -> None:
    loud = sound((30_000 + hiss(N)).astype(np.float32))
    other = with_gap(loud, first, last).resample_fs(rate_hz)
    heard = np.zeros(len(other.samples), bool)
    for begin, end in other.stretches():
        heard[begin:end] = True
    assert np.array_equal(heard, other.samples != 0)
    plain = loud.resample_fs(rate_hz).highpass(20).samples
    assert np.abs(other.highpass(20).samples).max() < 2 * np.abs(plain).max()


def test_a_rate_too_far_is_refused() -> None:
    with pytest.raises(ValueError, match=r"wanted 0\.001 to 1000"):
        sound(noise(1)).resample_fs(1)


@pytest.mark.parametrize(
    ("dtype", "full"), [(np.int16, 32_767), (np.int32, 2_147_483_647), (np.float32, 1)]
)
def test_normalised_samples_fill_their_type(dtype: type[np.int16], full: float) -> None:
    whole = sound(noise(2))
    scaled = whole.normdata(dtype)
    assert scaled.dtype == dtype
    assert np.abs(scaled.astype(np.float64)).max() == pytest.approx(full, rel=1e-6)
    assert np.corrcoef(scaled, whole.samples)[0, 1] > 0.9999
    assert not sound(np.zeros(100, np.int32)).normdata(dtype).any()


@pytest.mark.parametrize("sign", [1, -1])
def test_the_loudest_fraction_does_not_change_its_sign(sign: int) -> None:
    scaled = sound(np.array([0.1, sign * 0.7, 0.3], np.float32)).normdata()
    assert scaled[1] == sign * 2_147_483_647


def test_subtraction_takes_the_noise_and_leaves_the_call() -> None:
    call = np.zeros(N)
    call[80_000:120_000] = tone(900, 40_000, amplitude=400)
    noisy = sound((call + hiss(N)).astype(np.float32))
    cleaned = noisy.subtract(sound(hiss(N, seed=5)[: 2 * 24_000].astype(np.float32)))
    quiet, loud = slice(0, 70_000), slice(85_000, 115_000)
    assert np.std(cleaned.samples[quiet]) < 0.2 * np.std(noisy.samples[quiet])
    assert np.std(cleaned.samples[loud] - call[loud]) < 0.5 * np.std(noisy.samples[quiet])


def test_subtracting_nothing_changes_nothing() -> None:
    noisy = sound(hiss(3 * 512 * 480).astype(np.float32))
    silence = sound(np.zeros(24_000, np.float32))
    assert np.abs(noisy.subtract(silence).samples - noisy.samples).max() < 1e-3
    short = sound(hiss(100).astype(np.float32))
    assert np.abs(short.subtract(silence).samples - short.samples).max() < 1e-3


def test_noise_that_cannot_be_subtracted_is_refused() -> None:
    noisy = sound(hiss(N).astype(np.float32))
    with pytest.raises(ValueError, match="found 12000 Hz, wanted 24000 Hz"):
        noisy.subtract(noisy.resample_fs(12_000))
    with pytest.raises(ValueError, match="wanted over a frame of 80 ms"):
        noisy.subtract(noisy.piece(0, 100))


def test_five_minutes_are_filtered_in_less_than_two_files_of_memory() -> None:
    samples = np.zeros(1757 * 4096, np.int32)
    samples[::1000] = 5000
    whole = sound(samples)
    tracemalloc.start()
    try:
        whole[seconds(1) :].highpass(10)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1.6 * samples.nbytes


def test_what_is_no_frequency_and_no_duration_is_told_as_such() -> None:
    some = sound(hiss(9999))
    with pytest.raises(TypeError, match="highpass: found 'a', wanted a number"):
        some.highpass("a")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"found 2, wanted .* timedelta\(seconds=2\)"):
        some[2:3]
    with pytest.raises(TypeError, match=r"found 2, wanted a timedelta: timedelta\(seconds=2\)"):
        next(some.chunk(2))  # type: ignore[arg-type]


def test_a_sound_of_under_a_frame_says_what_would_fit() -> None:
    short = sound(hiss(2400))
    with pytest.raises(ValueError, match="frame_samples=1024, hop_samples=256, or View"):
        short.spectrogram()
    assert short.spectrogram(frame_samples=1024, hop_samples=256).power.size
