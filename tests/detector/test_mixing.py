import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acoio.errors import DataError
from detector.training.clips import RATE_HZ, Clip, clip_of
from detector.training.mixing import (
    GAPS_S,
    NOTHING,
    SNRS_DB,
    Place,
    band_power,
    mixed,
    placed,
    plan,
)

from .sounds import noise

SEA = noise(140)  # 24 s, on a swell


def call(hz: float, width: float = 1.2, *, seconds: float = 2.0) -> Clip:
    """Return a sweep about a frequency, of steady power."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sweep = scipy.signal.chirp(time_s, hz / width, seconds, hz * width)
    alone = np.concatenate([np.zeros(RATE_HZ), sweep, np.zeros(RATE_HZ)])
    return clip_of(alone, RATE_HZ, name=f"{hz}", label="whale", range_hz=(15, 10_000))


def measured_power(sound: NDArray[np.float64], clip: Clip) -> float:
    """Return power in the clip's band by Welch's method, in another way than the mixer's."""
    hz, density = scipy.signal.welch(sound, RATE_HZ, nperseg=1 << 14)
    inside = (hz >= clip.low_hz) & (hz <= clip.high_hz)
    return float(density[inside].sum() * hz[1])


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 10.0])
@pytest.mark.parametrize("hz", [60.0, 500.0, 4000.0])
def test_the_measured_ratio_of_powers_is_the_asked_one(hz: float, snr_db: float) -> None:
    clip = call(hz, seconds=6.0)
    place = Place(5 * RATE_HZ, 0, snr_db)
    sound = mixed(SEA, [clip], [place])
    span = slice(place.at, place.at + len(clip.waveform))
    added = (sound - SEA)[span].astype(np.float64)
    ratio = measured_power(added, clip) / measured_power(SEA[span].astype(np.float64), clip)
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.5)


def test_the_sum_is_background_and_call_to_the_count_and_the_background_is_kept() -> None:
    before, clip = SEA.copy(), call(500)
    places = [Place(50_000, 0, 5.0), Place(200_000, 0, -5.0), Place(350_000, 0, NOTHING)]
    sound = mixed(SEA, [clip], places)
    expected = SEA.astype(np.int64)
    for place in places[:2]:
        expected[place.at : place.at + len(clip.waveform)] += np.rint(
            placed(SEA, clip, place)
        ).astype(np.int64)
    np.testing.assert_array_equal(sound, expected)
    np.testing.assert_array_equal(SEA, before)
    assert sound.dtype == np.int32


def test_a_swell_does_not_count_as_background() -> None:
    k = np.arange(len(SEA))
    swollen = SEA + np.rint(40_000 * np.sin(2 * np.pi * 0.3 * k / RATE_HZ)).astype(np.int32)
    span, band_hz = (100_000, 250_000), (20.0, 60.0)
    assert band_power(swollen, band_hz, span) == pytest.approx(
        band_power(SEA, band_hz, span), rel=0.02
    )


def test_nothing_is_clipped_a_sum_beyond_32_bits_is_refused() -> None:
    loud = (SEA.astype(np.float64) * 1e5).astype(np.int32)
    loud[200_000:] = np.iinfo(np.int32).max
    with pytest.raises(DataError, match="wanted 32 bits"):
        mixed(loud, [call(500)], [Place(190_000, 0, 10.0)])


@pytest.mark.parametrize("at", [-1, len(SEA) - 10])
def test_a_call_outside_of_the_background_is_refused(at: int) -> None:
    with pytest.raises(DataError, match="mixing 500"):
        mixed(SEA, [call(500)], [Place(at, 0, 0.0)])


def test_silence_has_no_ratio() -> None:
    with pytest.raises(DataError, match="no sound from"):
        mixed(np.zeros_like(SEA), [call(500)], [Place(50_000, 0, 0.0)])


@given(
    lengths=st.lists(st.integers(1, 10 * RATE_HZ), min_size=1, max_size=9),
    minutes=st.lists(st.integers(0, 20), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_places_keep_their_gaps_their_rooms_and_their_seed(
    lengths: list[int], minutes: list[int], seed: int
) -> None:
    rooms = [(1000 * k, 1000 * k + 60 * m * RATE_HZ) for k, m in enumerate(minutes)]
    places = plan(rooms, lengths, seed=seed)
    assert places == plan(rooms, lengths, seed=seed)
    for (first, last), here in zip(rooms, places, strict=True):
        edges = [first]
        for place in here:
            assert place.at - edges[-1] >= GAPS_S[0] * RATE_HZ - 1
            edges.append(place.at + lengths[place.clip])
        assert edges[-1] <= last


def test_each_clip_meets_each_snr_once_before_one_comes_again() -> None:
    for count in (1, 5, 6, 11):
        (places,) = plan([(0, 4 * 3600 * RATE_HZ)], [RATE_HZ] * count, seed=3)
        once = {(place.clip, place.snr_db) for place in places[: count * len(SNRS_DB)]}
        assert len(once) == count * len(SNRS_DB)


def test_another_seed_gives_other_places_and_no_clips_are_an_error() -> None:
    rooms = [(0, 600 * RATE_HZ)]
    assert plan(rooms, [9, 9], seed=1) != plan(rooms, [9, 9], seed=2)
    with pytest.raises(DataError, match="no clips"):
        plan(rooms, [], seed=1)
