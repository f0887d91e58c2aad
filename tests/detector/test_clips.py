import numpy as np
import pytest
from numpy.typing import NDArray

from acoio.errors import DataError
from detector.training.clips import KEPT_S, RATE_HZ, Clip, call_power, clip_of, in_band, sounding

RANGE_HZ = (15.0, 10_000.0)
_Floats = NDArray[np.float64]


def recording(
    hz: float, rate_hz: int, *, seconds: float = 6.0, at: tuple[float, float] = (2.0, 3.5)
) -> _Floats:
    """Return a tone that sounds from one second to another, on faint noise."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    tone = np.where((time_s >= at[0]) & (time_s < at[1]), np.sin(2 * np.pi * hz * time_s), 0)
    return np.asarray(tone + np.random.default_rng(0).normal(0, 0.01, len(time_s)))


def clip(samples: _Floats, rate_hz: int) -> Clip:
    return clip_of(samples, rate_hz, name="x.wav", label="whale", range_hz=RANGE_HZ)


@pytest.mark.parametrize(
    ("hz", "rate_hz"), [(20, 600), (300, 1280), (1400, 14_900), (4000, 60_600), (6000, 81_920)]
)
def test_a_clip_of_any_rate_is_the_call_in_its_band_at_unit_power(hz: int, rate_hz: int) -> None:
    found = clip(recording(hz, rate_hz), rate_hz)
    assert found.low_hz < hz < found.high_hz
    assert found.high_hz - found.low_hz < 40
    assert len(found.waveform) / RATE_HZ == pytest.approx(1.5, abs=0.15)
    assert call_power(found.waveform, found.low_hz, found.high_hz) == pytest.approx(1)
    spectrum = np.abs(np.fft.rfft(found.waveform))
    assert np.argmax(spectrum) * RATE_HZ / len(found.waveform) == pytest.approx(hz, abs=2)


def test_a_long_clip_is_cut_to_its_loudest_stretch() -> None:
    long = recording(300, 4000, seconds=40, at=(3, 33))
    long[20 * 4000 : 22 * 4000] *= 5
    found = clip(long, 4000)
    assert len(found.waveform) <= KEPT_S * RATE_HZ
    assert len(found.waveform) / RATE_HZ == pytest.approx(2, abs=0.2)


def test_channels_are_averaged() -> None:
    mono = recording(300, 4000)
    both = clip(np.stack([mono, mono], axis=1), 4000)
    np.testing.assert_allclose(both.waveform, clip(mono, 4000).waveform)


def test_steady_noise_is_not_taken_for_the_call() -> None:
    noisy = recording(300, 4000)
    noisy += 0.3 * np.sin(2 * np.pi * 1700 * np.arange(len(noisy)) / 4000)
    found = clip(noisy, 4000)
    assert 250 < found.low_hz < found.high_hz < 350


def test_ends_are_soft_and_what_lies_outside_of_the_band_is_gone() -> None:
    found = clip(recording(300, 24_000) + recording(300, 24_000, seconds=6)[::-1] * 0.1, 24_000)
    assert np.abs(found.waveform[[0, -1]]).max() < 0.1
    rest = found.waveform - in_band(found.waveform, found.low_hz / 1.3, found.high_hz * 1.3)
    assert np.mean(rest**2) < 1e-3


def test_a_train_of_clicks_sounds_while_it_clicks() -> None:
    sound = np.zeros(RATE_HZ)
    sound[3000:3010] = 1
    assert sounding(sound).mean() == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("samples", "rate_hz", "reason"),
    [
        (recording(5, 600), 600, "energy in 15 to 10000 Hz"),
        (recording(11_000, 60_600), 60_600, "energy in 15 to 10000 Hz"),
        (np.zeros(5000), 600, "silence"),
        (np.full(5000, 7.0), 600, "silence"),
        (np.full(5000, np.nan), 600, "not finite"),
        (np.ones(20), 600, "20 samples at 600 Hz"),
        (np.empty(0), 600, "0 samples"),
    ],
)
def test_what_holds_no_call_is_refused_with_a_reason(
    samples: _Floats, rate_hz: int, reason: str
) -> None:
    with pytest.raises(DataError, match=rf"x\.wav.*{reason}"):
        clip(samples, rate_hz)
