"""Windows lie on the grid of time, and nothing depends on how the sound was cut."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acoio.clock import to_us
from acoio.errors import SetupError
from acoio.sound import Sound
from detector.config import FeatureSettings
from detector.features.bands import BandLevels
from detector.features.windows import RollingFeatures
from detector.values import Window

from .sounds import BEGIN, RATE_HZ, SMALL, noise, part, sound

RECORDS = 90


@pytest.fixture(scope="module")
def whole() -> Sound:
    return sound(noise(RECORDS))


@pytest.fixture(scope="module")
def windows(whole: Sound) -> list[Window]:
    return RollingFeatures(SMALL).push(whole)


def same(left: Sequence[Window], right: Sequence[Window]) -> bool:
    return len(left) == len(right) and all(
        (a.begin, a.end, a.file, a.sample) == (b.begin, b.end, b.file, b.sample)
        and np.array_equal(a.excess_db, b.excess_db)
        and np.array_equal(a.spread_db, b.spread_db)
        and np.array_equal(a.background_db, b.background_db)
        for a, b in zip(left, right, strict=True)
    )


@given(cuts=st.lists(st.integers(0, RECORDS), max_size=12))
@settings(max_examples=40)
def test_windows_are_the_same_wherever_the_sound_is_cut(cuts: Sequence[int]) -> None:
    whole = sound(noise(RECORDS))
    windows = RollingFeatures(SMALL).push(whole)
    stage, edges = RollingFeatures(SMALL), sorted({0, *cuts, RECORDS})
    parts = [w for a, b in itertools.pairwise(edges) for w in stage.push(part(whole, a, b))]
    assert same(parts, windows)


def test_windows_are_the_same_record_by_record(whole: Sound, windows: list[Window]) -> None:
    stage = RollingFeatures(SMALL)
    assert same([w for k in range(RECORDS) for w in stage.push(part(whole, k, k + 1))], windows)


@pytest.mark.parametrize("begin", range(1, 61, 3))
def test_a_window_depends_only_on_its_context(
    whole: Sound, windows: list[Window], begin: int
) -> None:
    """Heard from C seconds before a place on, or from the beginning: the same windows there."""
    late = RollingFeatures(SMALL).push(part(whole, begin, RECORDS))
    first = (begin + 1 + SMALL.past_records) * 4096
    assert same(late, [w for w in windows if w.sample >= first])


def test_a_window_begins_at_the_first_record_after_each_second(
    whole: Sound, windows: list[Window]
) -> None:
    begins = {to_us(w.begin) for w in windows}
    for window in windows:
        within_s = to_us(window.begin) % 1_000_000 / 1e6
        assert within_s < 0.1706667
    assert begins <= set(whole.marks_us.tolist())
    steps = sorted(begin // 1_000_000 for begin in begins)
    assert steps == list(range(steps[0], steps[-1] + 1))


def test_nothing_is_said_before_the_context_was_heard(windows: list[Window]) -> None:
    needed = (1 + SMALL.past_records) * 4096 / 24_000.127
    assert (windows[0].begin - BEGIN).total_seconds() >= needed - 1e-5


def test_after_a_gap_everything_begins_anew(whole: Sound) -> None:
    stage = RollingFeatures(SMALL)
    stage.push(part(whole, 0, 40))
    stage.reset()
    fresh = RollingFeatures(SMALL).push(part(whole, 45, RECORDS))
    assert same(stage.push(part(whole, 45, RECORDS)), fresh)


def test_each_window_says_where_its_sound_lies(whole: Sound, windows: list[Window]) -> None:
    for window in windows:
        assert whole.time_of(window.sample) == window.begin


@pytest.mark.parametrize("hz", [40.0, 300.0, 1400.0, 6000.0])
def test_a_tone_has_its_level_in_its_band(hz: float) -> None:
    """A sine of amplitude a has the power a²/2, spread over the width of its band."""
    settings_ = FeatureSettings(bands=32)
    k = np.arange(40 * 4096 + 1)
    samples = np.rint(20_000 * np.sin(2 * np.pi * hz * k / RATE_HZ)).astype(np.int32)
    levels = BandLevels(settings_)(samples).mean(axis=0)
    edges = settings_.band_edges_hz
    band = int(np.searchsorted(edges, hz) - 1)
    assert int(np.argmax(levels)) in (band - 1, band, band + 1)
    power = np.sum(10 ** (levels / 10) * np.diff(edges))
    assert 10 * np.log10(power / (20_000**2 / 2)) == pytest.approx(0, abs=0.6)


def test_white_noise_has_its_density_in_every_band() -> None:
    settings_ = FeatureSettings(bands=24)
    samples = np.random.default_rng(3).normal(0, 400, 600 * 4096 + 1).astype(np.int32)
    power = 10 ** (BandLevels(settings_)(samples) / 10)
    density_db = 10 * np.log10(power.mean(axis=0) / (400**2 / (RATE_HZ / 2)))
    assert np.abs(density_db).max() < 0.5


def test_a_swell_a_hundred_times_stronger_does_not_leak() -> None:
    """The swell lies under 1 Hz; the lowest band begins at 15 Hz."""
    k = np.arange(300 * 4096 + 1)
    hiss = np.random.default_rng(4).normal(0, 100, len(k))
    swell = 10_000 * np.sin(2 * np.pi * 0.3 * k / RATE_HZ) + 8_000 * np.cos(k / RATE_HZ)
    quiet = BandLevels(FeatureSettings())(hiss.astype(np.int32))
    rough = BandLevels(FeatureSettings())((hiss + swell).astype(np.int32))
    assert np.abs(rough.mean(axis=0) - quiet.mean(axis=0)).max() < 0.3


def test_silence_has_the_level_of_rounding() -> None:
    levels = BandLevels(FeatureSettings())(np.zeros(8193, np.int32))
    assert np.allclose(levels, 10 * np.log10(2 / 12 / RATE_HZ), atol=1e-3)


def test_bands_cover_the_range_without_holes() -> None:
    edges = FeatureSettings().band_edges_hz
    assert np.all(np.diff(edges) > 0)
    assert edges[0] == pytest.approx(15, abs=3)
    assert edges[-1] == pytest.approx(10_000, rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"hop_samples": 1000}, "hop_samples: found 1000"),
        ({"high_hz": 13_000.0}, r"found 15\.0 to 13000\.0 Hz"),
        ({"frame_samples": 8192}, "frame_samples: found 8192, wanted a hop to 6143"),
        ({"step_s": 0.0}, r"step_s: found 0\.0, wanted more than 0"),
        ({"past_records": 0, "window_records": 0}, "window_records: .*; past_records: "),
        ({"quiet_quantile": 0.7}, "quantiles: "),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(SetupError, match=words):
        FeatureSettings(**wrong)  # type: ignore[arg-type]


def test_more_bands_than_bins_are_refused() -> None:
    with pytest.raises(SetupError, match="bands: found 5000, wanted at most"):
        _ = FeatureSettings(bands=5000).band_bins


def test_sound_of_another_rate_is_refused() -> None:
    other = Sound(noise(2), 44_100.0, np.zeros(2, np.int64))
    with pytest.raises(SetupError, match=r"found 44100\.0 Hz, wanted 24000\.0 Hz"):
        RollingFeatures(SMALL).push(other)


def test_a_window_spans_its_records(windows: list[Window]) -> None:
    spans = {w.end - w.begin for w in windows}
    assert max(spans) - min(spans) <= timedelta(microseconds=2)
    assert windows[0].excess_db.shape == (SMALL.bands, SMALL.columns)
