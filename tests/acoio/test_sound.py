"""Records become Sound and Gap; a Sound is sliced by time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import acoio
from acoio.clock import TRUE_RATE_HZ, from_us, record_us, to_us
from acoio.join import Joiner
from acoio.reader import read_chunk
from acoio.record import Record
from acoio.sound import Gap, Sound

from .feeds import BEGIN, RATE_HZ, begins_us, feed, noise, write_feed

RECORD_S = record_us(RATE_HZ) / 1e6


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, ...]:
    path = write_feed(tmp_path_factory.mktemp("feed"), feed(noise(30)))
    return read_chunk(path, rate_hz=RATE_HZ).records


def later(record: Record, delay: timedelta) -> Record:
    return replace(record, begin=record.begin + delay)


def near(one: datetime, other: datetime) -> bool:
    """Times are whole microseconds: marks, pieces and ends are each rounded."""
    return abs(one - other) <= timedelta(microseconds=3)


def join(records: Sequence[Record]) -> list[Sound | Gap]:
    return list(Joiner(RATE_HZ).push(records))


def test_records_that_follow_are_one_sound(records: tuple[Record, ...]) -> None:
    (sound,) = join(records)
    assert isinstance(sound, Sound)
    assert np.array_equal(sound.samples, noise(30))
    assert sound.begin == BEGIN
    assert (sound.end - sound.begin).total_seconds() == pytest.approx(30 * RECORD_S, abs=2e-6)


def test_missing_records_are_a_gap_of_their_length(records: tuple[Record, ...]) -> None:
    before, gap, after = join([*records[:10], *records[13:]])
    assert isinstance(gap, Gap)
    assert isinstance(before, Sound)
    assert isinstance(after, Sound)
    assert abs(gap.seconds - 3 * RECORD_S) < 5e-6
    assert abs((gap.begin - before.end).total_seconds()) < 5e-6
    assert gap.end == after.begin


def test_a_repeated_record_is_dropped_and_what_follows_keeps_its_place(
    records: tuple[Record, ...],
) -> None:
    again = [replace(r, sample=r.sample + 4096) for r in records[4:]]
    before, after = join([*records[:5], *again])
    assert isinstance(before, Sound)
    assert isinstance(after, Sound)
    assert np.array_equal(np.concatenate([before.samples, after.samples]), noise(30))
    assert (before.sample, after.sample) == (0, 6 * 4096)
    assert after.begin - before.end < timedelta(microseconds=3)


def test_a_clock_that_goes_back_is_a_gap_of_no_length_that_says_so(
    records: tuple[Record, ...],
) -> None:
    back = [later(record, -timedelta(seconds=1)) for record in records[10:]]
    gap = join([*records[:10], *back])[1]
    assert isinstance(gap, Gap)
    assert (gap.seconds, gap.begin) == (0.0, back[0].begin)
    assert gap.reason == "a clock that goes back 1.000 s"


@given(cuts=st.lists(st.integers(0, 30), max_size=8), hole=st.integers(1, 28))
def test_joining_is_the_same_wherever_its_input_is_cut(
    records: tuple[Record, ...], cuts: Sequence[int], hole: int
) -> None:
    kept = [*records[:hole], *records[hole + 1 :]]
    stage, edges = Joiner(RATE_HZ), [0, *sorted(cuts), len(kept)]
    parts = [p for a, b in itertools.pairwise(edges) for p in stage.push(kept[a:b])]
    assert [p for p in parts if isinstance(p, Gap)] == [p for p in join(kept) if isinstance(p, Gap)]
    sounds = [p for p in parts if isinstance(p, Sound)]
    assert [s.sample for s in sounds] == sorted(s.sample for s in sounds)
    assert np.array_equal(
        np.concatenate([s.marks_us for s in sounds]), np.array([to_us(r.begin) for r in kept])
    )


@given(k=st.integers(0, 30 * 4096))
def test_a_sample_is_found_again_by_its_time(k: int) -> None:
    """Also where marks are as uneven as real clocks, within ±15 µs."""
    uneven_us = np.random.default_rng(k).integers(-15, 16, 30)
    sound = Sound(noise(30), RATE_HZ, begins_us(30) + uneven_us)
    assert sound.index_of(sound.time_of(k)) == k


@given(first=st.integers(0, 4_000_000), length=st.integers(100, 1_000_000))
def test_a_slice_by_timedelta_or_datetime_holds_the_samples_of_that_time(
    first: int, length: int
) -> None:
    sound = Sound(noise(30), RATE_HZ, begins_us(30))
    begin, end = timedelta(microseconds=first), timedelta(microseconds=first + length)
    by_delta, by_time = sound[begin:end], sound[BEGIN + begin : BEGIN + end]
    k = sound.index_of(BEGIN + begin)
    assert np.array_equal(by_delta.samples, noise(30)[k : sound.index_of(BEGIN + end)])
    assert np.array_equal(by_delta.samples, by_time.samples)
    assert (by_delta.sample, by_delta.begin) == (k, sound.time_of(k))
    # Times are whole microseconds, so a sample may be one or two before its time.
    late = by_delta.begin - (BEGIN + begin)
    assert timedelta(microseconds=-2) <= late < timedelta(microseconds=43)


def test_a_slice_outside_says_what_there_is() -> None:
    sound = Sound(noise(2), RATE_HZ, begins_us(2))
    with pytest.raises(IndexError, match="no sound in"):
        sound[timedelta(seconds=5) : timedelta(seconds=6)]


def test_a_file_is_read_whole_with_zeros_in_its_gap(tmp_path: Path) -> None:
    content = feed(noise(20), bits=13)
    record_bytes = len(content) // 20
    path = write_feed(tmp_path, content[: 5 * record_bytes] + content[8 * record_bytes :])
    sound = acoio.read(path)
    assert len(sound.samples) == 20 * 4096
    expected = noise(20)
    expected[5 * 4096 : 8 * 4096] = 0
    assert np.array_equal(sound.samples, expected)
    assert [round(g.seconds, 4) for g in sound.gaps] == [round(3 * RECORD_S, 4)]
    assert np.abs(sound.marks_us - begins_us(20)).max() <= 2


@pytest.mark.parametrize("odd_us", [4_000, 90_000, 160_000])
def test_times_hold_after_a_gap_of_no_whole_records(tmp_path: Path, odd_us: int) -> None:
    times = begins_us(12)
    times[6:] += 2 * round(RECORD_S * 1e6) + odd_us
    content = acoio.writer.encode_records(noise(12), begins_us=times, first_number=7)
    record_bytes = acoio.read_chunk(write_feed(tmp_path, content), rate_hz=RATE_HZ).records
    cut = record_bytes[6].byte
    later = acoio.writer.encode_records(noise(12)[6 * 4096 :], begins_us=times[6:], first_number=15)
    sound = acoio.read(write_feed(tmp_path, content[:cut] + later))
    assert [g.seconds for g in sound.gaps] == [pytest.approx(2 * RECORD_S + odd_us / 1e6, abs=3e-6)]
    end_us = int(times[-1]) + RECORD_S * 1e6
    assert to_us(sound.end) == pytest.approx(end_us, abs=45)
    assert np.all(np.diff(sound.marks_us) > 0)
    whole = sound.samples[sound.index_of(from_us(int(times[6]))) :]
    assert np.array_equal(whole[:4096], noise(12)[6 * 4096 : 7 * 4096])


def test_a_clock_that_goes_back_within_a_file_is_refused(tmp_path: Path) -> None:
    first = feed(noise(4))
    back = acoio.writer.encode_records(
        noise(4), begins_us=begins_us(4) - 7_200_000_000, first_number=300
    )
    with pytest.raises(acoio.DataError, match="a clock that goes back 720"):
        acoio.read(write_feed(tmp_path, first + back))


def test_one_record_with_a_wrong_clock_does_not_cost_the_file(tmp_path: Path) -> None:
    times = begins_us(12)
    times[5] += 7_200_000_000
    content = acoio.writer.encode_records(noise(12), begins_us=times, first_number=7)
    sound = acoio.read(write_feed(tmp_path, content))
    assert (sound.gaps, len(sound.samples)) == ((), 12 * 4096)
    assert np.abs(sound.marks_us - begins_us(12)).max() <= 2


def test_a_negative_edge_counts_from_the_end_and_an_open_one_is_the_end() -> None:
    whole = Sound(noise(30), RATE_HZ, begins_us(30))
    second = timedelta(seconds=1)
    assert np.array_equal(whole[-second:].samples, whole[whole.duration - second :].samples)
    assert np.array_equal(whole[:-second].samples, whole[: whole.duration - second].samples)
    assert np.array_equal(whole[:].samples, whole.samples)
    assert whole[whole.begin - second : second].begin == whole.begin
    assert whole[-9 * second :].begin == whole.begin


def test_a_slice_is_a_view_and_its_slices_are_slices_of_the_whole() -> None:
    whole = Sound(noise(30), RATE_HZ, begins_us(30), file="a", sample=50)
    part = whole[timedelta(seconds=1) : timedelta(seconds=4)]
    inner = part[timedelta(seconds=1) : timedelta(seconds=2)]
    assert np.shares_memory(inner.samples, whole.samples)
    k = whole.index_of(inner.begin)
    assert np.array_equal(inner.samples, whole.samples[k : k + len(inner.samples)])
    assert inner.sample == 50 + k


@pytest.mark.parametrize("wrong", [3, slice(1, 2), slice("a", None)])
def test_an_index_that_is_no_time_is_refused(wrong: slice) -> None:
    with pytest.raises(TypeError, match="wanted a"):
        Sound(noise(2), RATE_HZ, begins_us(2))[wrong]


@given(length=st.integers(500, 200_000))
def test_chunks_end_to_end_are_the_whole(length: int) -> None:
    whole = Sound(noise(30), RATE_HZ, begins_us(30))
    chunks = list(whole.chunk(timedelta(seconds=length / TRUE_RATE_HZ)))
    assert {len(chunk.samples) for chunk in chunks[:-1]} <= {length}
    assert np.array_equal(np.concatenate([c.samples for c in chunks]), whole.samples)
    assert all(near(b.begin, a.end) for a, b in itertools.pairwise(chunks))


@given(length=st.integers(2000, 200_000), stride=st.integers(2000, 200_000))
def test_chunks_begin_each_step_until_one_reaches_the_end(length: int, stride: int) -> None:
    whole = Sound(noise(30), RATE_HZ, begins_us(30))
    duration, step = (timedelta(seconds=k / TRUE_RATE_HZ) for k in (length, stride))
    chunks = list(whole.chunk(duration, step))
    assert [c.sample for c in chunks] == [k * stride for k in range(len(chunks))]
    assert all(len(c.samples) == length for c in chunks[:-1])
    assert all(c.sample + length < len(whole.samples) for c in chunks[:-1])
    last = chunks[-1].sample
    assert max(last + length, last + stride) >= len(whole.samples)


def test_a_chunk_of_no_time_is_refused() -> None:
    whole = Sound(noise(2), RATE_HZ, begins_us(2))
    with pytest.raises(ValueError, match="wanted a sample or more"):
        list(whole.chunk(timedelta(0)))
    with pytest.raises(ValueError, match="wanted a sample or more"):
        list(whole.chunk(timedelta(seconds=1), timedelta(0)))


def test_gaps_are_kept_through_slices() -> None:
    whole = Sound(noise(30), RATE_HZ, begins_us(30))
    gap = Gap(whole.time_of(20_000), whole.time_of(30_000))
    holed = replace(whole, gaps=(gap,))
    assert holed.stretches() == [(0, 20_000), (30_000, 30 * 4096)]
    assert holed[gap.begin - timedelta(seconds=0.1) :].gaps == (gap,)
    middle = gap.begin + (gap.end - gap.begin) / 2
    (half,) = holed[:middle].gaps
    assert half.begin == gap.begin
    assert near(half.end, holed[:middle].end)
    assert holed[:middle].stretches() == [(0, 20_000)]
    assert holed[gap.end :].gaps == ()


def test_a_random_sample_is_the_same_for_a_seed() -> None:
    whole = Sound(noise(30), RATE_HZ, begins_us(30))
    second = timedelta(seconds=1)
    one, same = whole.random_sample(second, 3), whole.random_sample(second, 3)
    assert (one.begin, len(one.samples)) == (same.begin, 24_000)
    rng = np.random.default_rng(0)
    begins = {whole.random_sample(second, rng).begin for _ in range(20)}
    assert len(begins) > 15
    assert len(whole.random_sample(whole.duration, rng).samples) == 30 * 4096
    with pytest.raises(ValueError, match=r"wanted up to 0:00:05\.1"):
        whole.random_sample(timedelta(seconds=6))


def test_what_a_story_needs_is_imported_from_the_top() -> None:
    names = {"ACOio", "ACDio", "datetime", "timedelta", "Sound", "Calibration", "OverlapWarning"}
    assert names <= set(acoio.__all__)
    assert acoio.ACOio is acoio.ACDio
    assert acoio.timedelta is timedelta


def test_a_slice_with_a_step_is_refused() -> None:
    with pytest.raises(IndexError, match="found the step 2"):
        Sound(noise(2), RATE_HZ, begins_us(2))[::2]


def test_a_file_without_sound_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(acoio.DataError, match="no record of sound: empty file"):
        acoio.read(write_feed(tmp_path, b""))
    with pytest.raises(acoio.DataError, match="no record of sound: no record header"):
        acoio.read(write_feed(tmp_path, bytes(range(256)) * 50))


def test_a_gap_of_years_within_a_file_is_not_filled(tmp_path: Path) -> None:
    path = write_feed(tmp_path, feed(noise(3)))
    other = acoio.writer.encode_records(
        noise(3), begins_us=begins_us(3, begin=BEGIN.replace(year=2031)), first_number=500
    )
    path.write_bytes(path.read_bytes() + other)
    with pytest.raises(acoio.DataError, match=r"found gaps of .* wanted under 0:30:00"):
        acoio.read(path)


def test_times_are_whole_microseconds_of_utc() -> None:
    assert from_us(to_us(BEGIN)) == BEGIN
