"""Spectra hold the sound's energy, whatever the swell, and say where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from acoio.calibration import Calibration
from acoio.spectrogram import spectrogram

from .tones import SWELL, hiss, seconds, sound, tone, with_gap

N = 60 * 4096


@pytest.mark.parametrize(("frame", "hop"), [(4096, 1024), (1000, 300), (999, 500)])
def test_the_power_of_noise_adds_up_to_its_variance(frame: int, hop: int) -> None:
    """Parseval: the density times the width of the bins, over all bins."""
    whole = sound(hiss(N).astype(np.float32))
    spectrum = whole.spectrogram(frame_samples=frame, hop_samples=hop)
    assert spectrum.power.shape == (len(spectrum.hz), len(spectrum.times))
    variance = spectrum.power.mean(axis=1).sum() * spectrum.hz[0]
    assert variance == pytest.approx(np.var(whole.samples), rel=0.02)


@pytest.mark.parametrize(("frame", "hop"), [(4096, 1024), (1000, 300), (999, 500)])
def test_each_spectrum_has_the_energy_of_its_frame(frame: int, hop: int) -> None:
    """Parseval, exactly, for Hann-weighted frames."""
    whole = sound(hiss(20 * 4096).astype(np.float32))
    spectra = whole.stft(frame_samples=frame, hop_samples=hop)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    sides = np.full(len(spectra.hz), 2.0)
    sides[0] = 1
    sides[-1] = 1 + frame % 2
    density = np.abs(spectra.values) ** 2
    found = sides @ density * spectra.hz[1]
    for k in (0, len(spectra.times) // 2, len(spectra.times) - 1):
        first = whole.index_of(spectra.times[k]) - frame // 2
        part = whole.samples[first : first + frame].astype(np.float64)
        wanted = np.sum((part * hann) ** 2) / np.sum(hann**2)
        assert found[k] == pytest.approx(wanted, rel=1e-4)


def test_a_tone_under_a_swell_stands_at_its_frequency_and_time() -> None:
    samples = tone(0.11, N, amplitude=SWELL)
    samples[100_000:124_000] += tone(300, 24_000, amplitude=60)
    whole = sound((samples + hiss(N, deviation=1)).astype(np.int32))
    spectrum = whole.spectrogram()
    power = np.where(spectrum.hz[:, None] > 20, spectrum.power, 0)
    row, column = np.unravel_index(np.argmax(power), power.shape)
    assert abs(spectrum.hz[row] - 300) <= spectrum.hz[0]
    assert whole.time_of(100_000) < spectrum.times[column] < whole.time_of(124_000)
    total = spectrum.power[row - 3 : row + 4, column].sum() * spectrum.hz[0]
    assert total == pytest.approx(60**2 / 2, rel=0.02)


def test_frames_that_touch_a_gap_are_not_a_number_and_no_others() -> None:
    whole = sound((tone(0.11, N, amplitude=SWELL) + hiss(N)).astype(np.int32))
    first, last = 100_000, 110_000
    holed, full = with_gap(whole, first, last).spectrogram(), whole.spectrogram()
    centres = np.array([whole.index_of(when) for when in full.times])
    touched = (centres - 2048 < last) & (centres + 2048 + 1 > first)
    assert np.isnan(holed.power[:, touched]).all()
    assert np.array_equal(holed.power[:, ~touched], full.power[:, ~touched])
    above_db = holed.above_background_db()
    assert np.abs(np.nanmedian(above_db, axis=1)).max() < 0.5
    assert np.isnan(with_gap(whole, first, last).stft().values[:, :236][:, touched]).all()


def test_the_log_spectrogram_says_its_reference() -> None:
    whole = sound(hiss(N).astype(np.float32))
    level, power = whole.logspectrogram(), whole.spectrogram().power
    assert level.reference == "1 count²/Hz"
    assert level.level_db == pytest.approx(10 * np.log10(power), abs=1e-4)
    calibrated = whole.logspectrogram(Calibration(0.01))
    assert calibrated.reference == "1 µPa²/Hz"
    assert calibrated.level_db - level.level_db == pytest.approx(40, abs=1e-4)


def test_blocks_do_not_show() -> None:
    """A spectrogram of a part is that part of the spectrogram."""
    whole = sound(hiss(700 * 1024).astype(np.float32))
    part = whole.piece(300 * 1024, 600 * 1024)
    full, some = whole.spectrogram(), spectrogram(part)
    first = full.times.index(some.times[0])
    assert np.array_equal(full.power[:, first : first + len(some.times)], some.power)


def test_a_sound_shorter_than_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="found 2400 samples, wanted over 4096"):
        sound(hiss(N))[: seconds(0.1)].spectrogram()
