"""WAV, FLAC and MP3 by date and time, alone and beside recordings."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from acoio.archive import ACOio
from acoio.clock import to_us
from acoio.errors import DataError
from acoio.join import OverlapWarning
from acoio.load import read
from acoio.sound import Gap

from .archives import (
    BEGIN,
    MIDNIGHT,
    MINUTES,
    TREES,
    archive,
    content,
    copies,
    cut,
    file_records,
    minute_sound,
    put,
    put_copy,
    whole,
)

SECOND = timedelta(seconds=1)
NAMES = [
    "{:%Y-%m-%d--%H.%M}.wav",
    "{:%Y-%m-%d--%H.%M}.HYD24BBpk.flac",
    "HYD_{:%Y%m%dT%H%M%S}Z.WAV",
    "{:%y%m%d-%H%M%S}.flac",
    "song {:%Y-%m-%d--%H.%M.%S}.wav",
]


@pytest.fixture(scope="module")
def loaders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ACOio]:
    made = {}
    for extension in ("wav", "flac", "mp3", "packed"):
        base = tmp_path_factory.mktemp(extension)
        if extension == "packed":
            archive(base)
        else:
            copies(base, "{:%Y-%m-%d--%H.%M}." + extension)
        made[extension] = ACOio(base)
    return made


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("name", NAMES)
def test_audio_of_any_name_in_any_tree_gives_the_sound_over_midnight(
    tree: str, name: str, tmp_path: Path
) -> None:
    copies(tmp_path, name, tree)
    begin = MIDNIGHT - 40 * SECOND
    found = ACOio(tmp_path).load(begin, 80 * SECOND)
    assert found.gaps == ()
    assert found.samples.dtype == np.int32
    assert np.array_equal(found.samples, cut(whole(), begin, 80 * SECOND).samples)


@pytest.mark.parametrize("extension", ["wav", "flac"])
@given(first_us=st.integers(-3_000_000, 239_000_000), length_us=st.integers(200, 70_000_000))
@settings(max_examples=50)
def test_any_span_of_copies_is_that_of_the_recordings(
    loaders: dict[str, ACOio], extension: str, first_us: int, length_us: int
) -> None:
    begin, duration = BEGIN + timedelta(microseconds=first_us), timedelta(microseconds=length_us)
    assume(begin + duration > BEGIN + timedelta(milliseconds=1))
    found, wanted = (loaders[x].load(begin, duration) for x in (extension, "packed"))
    assert abs(len(found.samples) - len(wanted.samples)) <= 1
    late = round((to_us(wanted.begin) - to_us(found.begin)) * 0.024)
    count = min(len(found.samples), len(wanted.samples)) - 1
    assert late in {-1, 0, 1}
    ours, theirs = found.samples[max(late, 0) :], wanted.samples[max(-late, 0) :]
    assert np.array_equal(ours[: count - 1], theirs[: count - 1])
    assert np.allclose(found.marks_us + 41.7 * late, wanted.marks_us, atol=3)
    assert len(found.gaps) == len(wanted.gaps)
    for ours_gap, theirs_gap in zip(found.gaps, wanted.gaps, strict=True):
        assert abs(ours_gap.begin - theirs_gap.begin) <= timedelta(microseconds=3)
        assert abs(ours_gap.end - theirs_gap.end) <= timedelta(microseconds=3)


@given(edges=st.lists(st.integers(1000, 199_000_000), min_size=1, max_size=5))
@settings(max_examples=25)
def test_spans_cut_anywhere_are_the_whole(loaders: dict[str, ACOio], edges: list[int]) -> None:
    apart = [x for k, x in enumerate(sorted(edges)) if not k or x - sorted(edges)[k - 1] > 1000]
    at = [BEGIN + timedelta(microseconds=x) for x in (0, *apart, 200_000_000)]
    pieces = [loaders["flac"].load(a, b - a).samples for a, b in pairwise(at)]
    once = loaders["flac"].load(at[0], at[-1] - at[0]).samples
    assert np.array_equal(np.concatenate(pieces), once)


def test_an_mp3_lies_within_a_sample_of_the_recording(loaders: dict[str, ACOio]) -> None:
    begin, duration = MINUTES[1] + 3 * SECOND, 40 * SECOND
    found, wanted = (loaders[x].load(begin, duration) for x in ("mp3", "packed"))
    assert found.gaps == ()
    assert found.samples.dtype == np.float32
    middle = wanted.samples[1000:-1000].astype(float)
    fits = [
        np.corrcoef(found.samples[1000 + k :][: len(middle)], middle)[0, 1] for k in range(-9, 10)
    ]
    assert int(np.argmax(fits)) - 9 == 0
    assert max(fits) > 0.8


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_the_times_are_those_that_read_gives(tmp_path: Path, extension: str) -> None:
    path = copies(tmp_path, "{:%Y-%m-%d--%H.%M}." + extension, ".")[1]
    alone = read(path)
    found = ACOio(tmp_path).load(alone.begin, alone.duration)
    assert np.array_equal(found.marks_us, alone.marks_us)
    assert np.allclose(found.samples, alone.samples, atol=1e-2)


def test_a_foreign_copy_begins_when_its_name_says(tmp_path: Path) -> None:
    path = tmp_path / "HYD_20160218T081507Z.wav"
    samples = np.random.default_rng(1).integers(-999, 999, 44_100 * 3).astype(np.int16)
    soundfile.write(path, samples, 44_100)
    loader = ACOio(tmp_path)
    sound = loader.load(datetime(2016, 2, 18, 8, 15, 8, tzinfo=UTC), SECOND)
    assert sound.rate_hz == 44_100
    assert sound.begin == read(path).time_of(44_100)
    assert np.array_equal(sound.samples, samples[44_100 : 44_100 + len(sound.samples)])
    (file,) = loader.coverage().files
    assert (file.begin, file.rate_hz, file.layout) == (
        datetime(2016, 2, 18, 8, 15, 7, tzinfo=UTC),
        44_100,
        "WAV",
    )
    slower = ACOio(tmp_path, rate_hz=22_050).load(
        datetime(2016, 2, 18, 8, 15, 8, tzinfo=UTC), SECOND
    )
    assert np.array_equal(slower.samples, samples[22_050 : 22_050 + len(slower.samples)])


def test_gaps_of_the_comment_are_gaps(tmp_path: Path) -> None:
    archive(tmp_path / "a", without=[1])
    begin, duration = MINUTES[0] + 11 * SECOND, 140 * SECOND
    sound = ACOio(tmp_path / "a").load(begin, duration)
    put_copy(tmp_path / "b", ".", begin, sound, "{:%Y%m%d-%H%M%S}.flac")
    loader = ACOio(tmp_path / "b")
    again = loader.load(begin, duration)
    assert np.array_equal(again.samples, sound.samples)
    (gap,), (wanted,) = again.gaps, sound.gaps
    assert abs(gap.begin - wanted.begin) < timedelta(microseconds=60)
    assert abs(gap.end - wanted.end) < timedelta(microseconds=60)
    assert loader.coverage().gaps == (gap,)


@pytest.mark.parametrize("long_us", [5_000, 19_999, 20_001, 20_030, 20_070, 25_000])
def test_a_gap_of_any_length_moves_no_sample(tmp_path: Path, long_us: int) -> None:
    sound = minute_sound(1)
    begin = sound.time_of(500_000)
    gap = Gap(begin, begin + timedelta(microseconds=long_us))
    put_copy(tmp_path, ".", MINUTES[1], replace(sound, gaps=(gap,)), "{:%Y-%m-%d--%H.%M}.flac")
    found = ACOio(tmp_path).load(sound.begin, 40 * SECOND)
    last = sound.index_of(gap.end)
    assert len(found.gaps) == int(long_us > 20_050) or long_us in {20_030, 20_070}
    assert np.array_equal(found.samples[last + 1 :], sound.samples[last + 1 : len(found.samples)])


def test_a_gap_of_a_copy_is_filled_by_the_recording_of_its_time(tmp_path: Path) -> None:
    sound = minute_sound(1)
    holed = sound.samples.copy()
    first, last = sound.index_of(MINUTES[1] + 9 * SECOND), sound.index_of(MINUTES[1] + 17 * SECOND)
    holed[first:last] = 0
    gap = Gap(sound.time_of(first), sound.time_of(last))
    copies(tmp_path, without=[1])
    put_copy(
        tmp_path,
        ".",
        MINUTES[1],
        replace(sound, samples=holed, gaps=(gap,)),
        "{:%Y%m%d_%H%M%S}.wav",
    )
    assert ACOio(tmp_path).load(BEGIN, 200 * SECOND).gaps != ()
    begin = file_records(1)[0]
    put(tmp_path, ".", MINUTES[1], content(begin + 30, begin + 120))
    found = ACOio(tmp_path).load(BEGIN, 200 * SECOND)
    assert found.gaps == ()
    assert np.array_equal(found.samples, cut(whole(), BEGIN, 200 * SECOND).samples)


@pytest.mark.parametrize("lead_s", [-20, 0, 7])
def test_a_recording_wins_over_its_copy_without_a_warning(lead_s: int, tmp_path: Path) -> None:
    archive(tmp_path, without=[2])
    begin = MINUTES[1] + lead_s * SECOND
    quieter = cut(whole(), begin, 100 * SECOND)
    copy = replace(quieter, samples=-quieter.samples)
    put_copy(tmp_path, "{:%Y/%m/%d}", begin, copy, "snip_{:%Y%m%d_%H%M%S}.wav")
    loader = ACOio(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = loader.load(MINUTES[0], 110 * SECOND)
    assert np.array_equal(found.samples, cut(whole(), MINUTES[0], 110 * SECOND).samples)
    after = loader.load(MINUTES[2] + SECOND, 5 * SECOND)
    assert np.array_equal(after.samples, -cut(whole(), MINUTES[2] + SECOND, 5 * SECOND).samples)
    overlaps = loader.coverage().overlaps
    assert {overlap.file for overlap in overlaps} == {f"snip_{begin:%Y%m%d_%H%M%S}.wav"}
    assert all(overlap.of_copy for overlap in overlaps)


def test_of_two_copies_the_first_is_kept_with_a_warning(tmp_path: Path) -> None:
    copies(tmp_path)
    begin = MINUTES[1] + 10 * SECOND
    put_copy(tmp_path, ".", begin, cut(whole(), begin, 5 * SECOND), "{:%Y%m%d_%H%M%S}.flac")
    with pytest.warns(OverlapWarning, match=r"235910\.flac: 5\.000 s .*--23\.59\.wav, which was"):
        sound = ACOio(tmp_path).load(MINUTES[1], 30 * SECOND)
    assert np.array_equal(sound.samples, cut(whole(), MINUTES[1], 30 * SECOND).samples)


def test_fractions_make_the_sound_one_of_fractions_and_round_nothing(tmp_path: Path) -> None:
    copies(tmp_path, without=[1])
    fine = minute_sound(1)
    fine = replace(fine, samples=(fine.samples + np.float32(0.25)).astype(np.float32))
    put_copy(tmp_path, ".", MINUTES[1], fine, "{:%Y-%m-%d--%H.%M}.wav")
    loader = ACOio(tmp_path)
    sound = loader.load(BEGIN, 100 * SECOND)
    exact = cut(whole(), BEGIN, 100 * SECOND).samples.astype(np.float32)
    first, last = (x * 4096 for x in file_records(1))
    exact[first:last] += 0.25
    assert sound.samples.dtype == np.float32
    assert np.array_equal(sound.samples, exact)
    assert loader.load(BEGIN, 30 * SECOND).samples.dtype == np.int32


def test_only_the_wanted_samples_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies(tmp_path, "{:%Y-%m-%d--%H.%M}.flac")
    loader = ACOio(tmp_path)
    asked: list[int] = []
    read_frames = soundfile.SoundFile.read

    def noting(file: soundfile.SoundFile, frames: int, **how: object) -> object:
        asked.append(frames)
        return read_frames(file, frames, **how)

    monkeypatch.setattr(soundfile.SoundFile, "read", noting)
    sound = loader.load(MINUTES[1] + 20 * SECOND, SECOND)
    probes = 4 * (4096 + 8192) + 4096 + 8192  # of all that its hour can hold, then of its own
    assert sum(asked) == len(sound.samples) + probes
    asked.clear()
    loader.load(MINUTES[1] + 25 * SECOND, SECOND)
    assert sum(asked) == len(sound.samples)
    asked.clear()
    loader.coverage()
    assert sum(asked) <= 4 * 2 * (4096 + 8192)


def test_the_nearest_copies_are_told(tmp_path: Path) -> None:
    paths = [tmp_path / f"20240301-0600{x:02d}.wav" for x in (10, 40)]
    for path in paths:
        soundfile.write(path, np.ones(24_000, np.int16), 24_000)
    with pytest.raises(DataError, match=r"before, .*060010\.wav, .* after, .*060040\.wav, .*"):
        ACOio(tmp_path).load(datetime(2024, 3, 1, 6, 0, 20, tzinfo=UTC), SECOND)
