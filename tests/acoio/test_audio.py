"""WAV, FLAC and MP3: counts come back as they were, at their time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acoio.audio import is_audio, read_audio, save
from acoio.errors import DataError, FilenameError, NotReadyError
from acoio.sound import Gap, Sound
from acoio.writer import record_begins_us

BEGIN = datetime(2016, 2, 18, 8, 14, 59, 521_342, tzinfo=UTC)


def sound_of(samples: NDArray[Any], rate_hz: float = 24_000.0) -> Sound:
    marks = -(-len(samples) // 4096)
    return Sound(samples, rate_hz, record_begins_us(BEGIN, 0, marks, rate_hz=rate_hz))


def drawn(bits: int, count: int = 9000) -> NDArray[np.int32]:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    samples = np.random.default_rng(bits).integers(low, high, count, endpoint=True)
    samples[:2] = low, high
    return samples.astype(np.int32)


@pytest.mark.parametrize(("extension", "most"), [("wav", 32), ("flac", 24)])
@pytest.mark.parametrize("bits", range(1, 33))
def test_counts_are_kept_exactly(tmp_path: Path, extension: str, most: int, bits: int) -> None:
    path, sound = tmp_path / f"a.{extension}", sound_of(drawn(bits))
    if bits > most:
        with pytest.raises(ValueError, match="wanted 24 bits"):
            save(sound, path)
        assert list(tmp_path.iterdir()) == []
        return
    save(sound, path)
    again = read_audio(path)
    assert again.samples.dtype == np.int32
    assert np.array_equal(again.samples, sound.samples)
    assert (again.begin, again.rate_hz, again.file) == (BEGIN, 24_000.0, path.name)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("bits", "subtype"), [(12, "PCM_16"), (17, "PCM_24"), (25, "PCM_32")])
def test_the_file_holds_the_counts_as_its_own_numbers(
    tmp_path: Path, bits: int, subtype: str
) -> None:
    save(sound_of(drawn(bits)), tmp_path / "a.wav")
    with soundfile.SoundFile(tmp_path / "a.wav") as file:
        assert file.subtype == subtype
        wide = file.read(dtype="int32") >> (32 - int(subtype[-2:]))
    assert np.array_equal(wide, drawn(bits))


def test_fractions_are_kept_exactly_in_wav(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).normal(0, 30_000, 5000).astype(np.float32)
    save(sound_of(samples), tmp_path / "a.wav")
    again = read_audio(tmp_path / "a.wav").samples
    assert again.dtype == np.float32
    assert np.array_equal(again, samples)


@pytest.mark.parametrize("level", [1e-6, 0.5, 1.0, 30_000.0, 1e9])
def test_flac_keeps_fractions_to_24_bits_of_the_peak(tmp_path: Path, level: float) -> None:
    samples = (level * np.random.default_rng(1).uniform(-1, 1, 5000)).astype(np.float32)
    save(sound_of(samples), tmp_path / "a.flac")
    again = read_audio(tmp_path / "a.flac").samples
    np.testing.assert_allclose(again, samples, atol=float(np.abs(samples).max()) * 2.0**-22)


def test_mp3_keeps_the_level_and_the_time(tmp_path: Path) -> None:
    tone = 20_000 * np.sin(2 * np.pi * 440 / 24_000 * np.arange(48_000))
    save(sound_of(tone.astype(np.int32)), tmp_path / "a.mp3")
    again = read_audio(tmp_path / "a.mp3")
    assert again.begin == BEGIN
    middle = slice(4800, 43_200)
    assert np.std(again.samples[middle] - tone[middle]) < 0.02 * np.std(tone)


def test_silence_is_kept(tmp_path: Path) -> None:
    for name in ("a.wav", "a.flac", "a.mp3"):
        save(sound_of(np.zeros(5000, np.float32)), tmp_path / name)
        assert not read_audio(tmp_path / name).samples.any()


@given(first=st.integers(0, 8998), length=st.integers(1, 9000))
@settings(max_examples=25)
def test_a_span_is_what_the_whole_has_there(
    tmp_path_factory: pytest.TempPathFactory, first: int, length: int
) -> None:
    path = tmp_path_factory.mktemp("span") / "a.flac"
    save(sound_of(drawn(17)), path)
    whole, span = read_audio(path), read_audio(path, span=(first, first + length))
    assert np.array_equal(span.samples, whole.samples[first : first + length])
    assert abs(span.begin - whole.time_of(first)) <= timedelta(microseconds=1)
    assert span.sample == first


def test_gaps_are_kept(tmp_path: Path) -> None:
    gap = Gap(BEGIN + timedelta(seconds=0.1), BEGIN + timedelta(seconds=0.2))
    save(replace(sound_of(drawn(9)), gaps=(gap,)), tmp_path / "a.flac")
    assert read_audio(tmp_path / "a.flac").gaps == (gap,)
    assert read_audio(tmp_path / "a.flac", span=(6000, 9000)).gaps == ()


def holed(gaps: int) -> Sound:
    sound = sound_of(np.zeros(2000 * gaps, np.int32))
    edges = [(sound.time_of(2000 * k + 700), sound.time_of(2000 * k + 900)) for k in range(gaps)]
    return replace(sound, gaps=tuple(Gap(*pair) for pair in edges))


@pytest.mark.parametrize(
    ("name", "gaps"), [("a.wav", 31), ("a.wav", 100), ("a.flac", 3000), ("a.mp3", 500)]
)
def test_many_gaps_are_kept(tmp_path: Path, name: str, gaps: int) -> None:
    save(holed(gaps), tmp_path / name)
    again = read_audio(tmp_path / name)
    assert (again.begin, again.gaps) == (BEGIN, holed(gaps).gaps)


def test_more_gaps_than_a_wav_can_tell_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"too many gaps .* wanted fewer: or FLAC"):
        save(holed(1000), tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


def test_gaps_of_older_comments_are_read(tmp_path: Path) -> None:
    gap = Gap(BEGIN + timedelta(seconds=0.1), BEGIN + timedelta(seconds=0.2))
    note = {"begin": BEGIN.isoformat(), "count": 2.0**-15, "float": False}
    note["gaps"] = [[gap.begin.isoformat(), gap.end.isoformat()]]
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 24_000, 1, subtype="PCM_16") as file:
        file.comment = "acoio " + json.dumps(note)
        file.write(np.zeros(9000, np.int16))
    assert read_audio(tmp_path / "a.wav").gaps == (gap,)


@pytest.mark.parametrize(("name", "rate_hz"), [("a.mp3", 96_000.0), ("a.flac", 700_000.0)])
def test_a_rate_that_a_format_lacks_is_refused(tmp_path: Path, name: str, rate_hz: float) -> None:
    with pytest.raises(ValueError, match=f"found a rate of {rate_hz:.0f} Hz, wanted"):
        save(sound_of(drawn(9), rate_hz), tmp_path / name)


def claiming(path: Path, samples: NDArray[np.int32], frames: int) -> Path:
    """Write a FLAC file whose STREAMINFO claims so many samples in all; 0 is unknown."""
    save(sound_of(samples), path)
    data = bytearray(path.read_bytes())
    data[21] = (data[21] & 0xF0) | (frames >> 32)
    data[22:26] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("count", [9000, 1 << 18, 300_000])
@pytest.mark.parametrize("frames", [0, 2**33, 2**36 - 1, 300_001])
def test_a_flac_header_that_lies_costs_nothing(tmp_path: Path, count: int, frames: int) -> None:
    samples = drawn(17, count)
    path = claiming(tmp_path / "a.flac", samples, frames)
    assert np.array_equal(read_audio(path).samples, samples)
    assert np.array_equal(read_audio(path, span=(5000, 10**9)).samples, samples[5000:])
    assert np.array_equal(read_audio(path, span=(500, 700)).samples, samples[500:700])
    with pytest.raises((DataError, IndexError), match=r"a\.flac"):
        read_audio(path, span=(count, count + 5))


def written(path: Path, samples: NDArray[Any], rate: int = 44_100) -> Path:
    soundfile.write(path, samples, rate)
    return path


def test_the_name_tells_the_time_of_a_foreign_copy(tmp_path: Path) -> None:
    path = written(tmp_path / "2016-02-18--08.15.wav", np.zeros(100, np.int16))
    assert read_audio(path).begin == datetime(2016, 2, 18, 8, 15, tzinfo=UTC)
    assert read_audio(path).rate_hz == 44_100
    given_time = read_audio(path, begin=BEGIN, rate_hz=24_000)
    assert (given_time.begin, given_time.rate_hz) == (BEGIN, 24_000)


def test_a_copy_that_nothing_dates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FilenameError, match="found no time in 'song"):
        read_audio(written(tmp_path / "song.wav", np.zeros(100, np.int16)))


def test_channels_that_are_the_same_are_one_and_others_are_refused(tmp_path: Path) -> None:
    left = np.arange(100, dtype=np.int16)
    path = tmp_path / "2016-02-18--08.15.wav"
    same = read_audio(written(path, np.column_stack([left, left])))
    assert np.array_equal(same.samples, left)
    with pytest.raises(DataError, match="found 2 channels that differ"):
        read_audio(written(path, np.column_stack([left, -left])))


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_noise_is_no_sound_file(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"2016-02-18--08.15.{extension}"
    path.write_bytes(bytes(1000))
    with pytest.raises(DataError, match="found no sound file"):
        read_audio(path)


def test_a_file_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        read_audio(tmp_path / "a.wav")
    with pytest.raises(NotReadyError, match="No such file"):
        save(sound_of(drawn(9)), tmp_path / "none" / "a.wav")


@pytest.mark.parametrize(
    ("name", "rate_hz", "value", "message"),
    [
        ("a.ogg", 24_000.0, 0, "found the extension '.ogg'"),
        ("a.wav", 24_000.5, 0, "wanted a whole number"),
        ("a.wav", 24_000.0, np.nan, "no numbers"),
    ],
)
def test_what_no_file_can_hold_is_refused(
    tmp_path: Path, name: str, rate_hz: float, value: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        save(sound_of(np.full(100, value, np.float32), rate_hz), tmp_path / name)


def test_the_extension_tells_an_audio_file() -> None:
    assert is_audio("a.WAV")
    assert not is_audio("2016-02-18--08.15.HYD24BBpk")
