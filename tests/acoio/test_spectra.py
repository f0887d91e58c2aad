"""Means, mel bands, cepstra and autocorrelation: energy is kept, known answers come."""

from __future__ import annotations

import numpy as np
import pytest

from .tones import SWELL, hiss, seconds, sound, tone, with_gap

N = 60 * 4096
HISS = sound(hiss(N).astype(np.float32))


def test_the_mean_power_of_noise_is_flat_and_adds_up() -> None:
    spectrum = HISS.power()
    assert spectrum.power.sum() * spectrum.hz[0] == pytest.approx(50**2, rel=0.02)
    assert spectrum.power[5:-5] == pytest.approx(50**2 / 12_000, rel=0.6)
    assert spectrum.level_db().mean() == pytest.approx(10 * np.log10(50**2 / 12_000), abs=0.3)


def test_a_swell_does_not_leak_into_the_mean() -> None:
    swelled = sound((hiss(N) + tone(0.11, N, amplitude=SWELL)).astype(np.float32))
    above = slice(4, None)
    off_db = swelled.power().level_db()[above] - HISS.power().level_db()[above]
    assert np.abs(off_db).max() < 0.5


def test_means_leave_gaps_out() -> None:
    spectrum = with_gap(HISS, 50_000, 150_000).power()
    assert spectrum.power.sum() * spectrum.hz[0] == pytest.approx(50**2, rel=0.03)
    with pytest.raises(ValueError, match="gaps in every frame"):
        with_gap(HISS, 1, N).power()


def test_a_long_term_average_has_the_power_of_each_time() -> None:
    louder = HISS.samples.copy()
    louder[N // 2 :] *= 10
    average = sound(louder).ltsa(seconds(1))
    assert average.power.shape == (2048, len(average.times))
    assert len(average.times) == 11
    assert abs(average.times[0] - HISS.time_of(12_000)) < seconds(0.001)
    variance = average.power.sum(axis=0) * average.hz[0]
    assert variance[:4] == pytest.approx(2500, rel=0.1)
    assert variance[6:] == pytest.approx(250_000, rel=0.1)


def test_a_long_term_average_of_a_gap_is_not_a_number() -> None:
    average = with_gap(HISS, 48_000, 120_000).ltsa(seconds(1))
    silent = np.isnan(average.power.sum(axis=0))
    assert silent[3]
    assert not silent[[0, 1, 6, 7, 8]].any()
    with pytest.raises(ValueError, match="wanted a hop of 2048 samples"):
        HISS.ltsa(seconds(0.01))


def test_mel_bands_share_all_power_between_them() -> None:
    mel = HISS.mel_spectrogram(40, low_hz=0, high_hz=12_000)
    spectrum = HISS.spectrogram()
    inside = (spectrum.hz >= mel.hz[0]) & (spectrum.hz <= mel.hz[-1])
    least = spectrum.power[inside].sum(axis=0) * spectrum.hz[0]
    most = spectrum.power.sum(axis=0) * spectrum.hz[0]
    total = mel.power.sum(axis=0)
    assert (total >= 0.999 * least).all()
    assert (total <= 1.001 * most).all()


def test_mel_centres_are_even_on_the_mel_scale() -> None:
    hz = HISS.mel_spectrogram(64, low_hz=100, high_hz=6000).hz
    mels = 2595 * np.log10(1 + hz / 700)
    assert np.diff(mels, n=2) == pytest.approx(0, abs=1e-6)
    whole = sound(tone(1000, N).astype(np.float32)).mel_spectrogram()
    assert abs(whole.hz[whole.power[:, 5].argmax()] - 1000) < 60
    with pytest.raises(ValueError, match="wanted fewer"):
        HISS.mel_spectrogram(2000)


def test_mel_coefficients_tell_loudness_from_shape() -> None:
    quiet = HISS.mfcc()
    loud = sound(HISS.samples * np.float32(10)).mfcc()
    assert quiet.values.shape == (13, len(quiet.times))
    rise = np.log(100) * np.sqrt(40)  # all 40 log powers rise alike: DCT-II, orthonormal
    assert loud.values[0] - quiet.values[0] == pytest.approx(rise, abs=1e-3)
    assert loud.values[1:] == pytest.approx(quiet.values[1:], abs=1e-3)


def test_an_echo_is_a_peak_at_its_delay() -> None:
    delay = 240
    direct = hiss(N)
    echo = np.concatenate([np.zeros(delay), direct[:-delay]])
    cepstrum = sound((direct + 0.6 * echo).astype(np.float32)).cepstrum()
    mean = cepstrum.values.mean(axis=1)
    assert 50 + np.argmax(mean[50:]) == delay
    assert cepstrum.lags_s[delay] == pytest.approx(0.01)
    assert mean[delay] == pytest.approx(0.6 / 2, abs=0.05)


def test_autocorrelation_is_what_the_sum_says() -> None:
    whole = sound(hiss(3000).astype(np.float32))
    found = whole.autocorr(seconds(0.01))
    x = whole.samples.astype(np.float64)
    wanted = np.correlate(x, x, "full")[2999 : 2999 + 241] / (x @ x)
    assert found.values == pytest.approx(wanted, abs=1e-9)
    assert found.lags_s[240] == pytest.approx(0.01)


def test_autocorrelation_of_a_long_tone_is_its_cosine() -> None:
    whole = sound(tone(100, 3 << 18).astype(np.float32))
    found = whole.autocorr(seconds(0.05))
    wanted = np.cos(2 * np.pi * 100 * found.lags_s)
    assert found.values == pytest.approx(wanted, abs=3e-3)
    with pytest.raises(ValueError, match="wanted under"):
        whole.piece(0, 100).autocorr()
    assert not sound(np.zeros(100, np.int32)).autocorr(seconds(0.001)).values.any()
