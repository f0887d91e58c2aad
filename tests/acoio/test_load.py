"""A file as a Sound, a piece of its middle, and the report on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acoio.audio import save
from acoio.clock import header_from_begin
from acoio.clock_errors import known_clock_errors
from acoio.errors import DataError, FilenameError, NotReadyError
from acoio.header import HEADER_BYTES, OLD, RECORD_SAMPLES
from acoio.load import Fault, read, read_span
from acoio.report import examine_records as examine
from acoio.writer import encode_records, record_begins_us

from .feeds import NAME, RATE_HZ, begins_us, feed, noise, write_feed

RECORDS = 12
BITS = 13
RECORD_BYTES = HEADER_BYTES + 512 * BITS


def content() -> bytearray:
    return bytearray(feed(noise(RECORDS), layout="old", bits=BITS))


def record(k: int) -> slice:
    return slice(k * RECORD_BYTES, (k + 1) * RECORD_BYTES)


def damaged_header() -> bytearray:
    data = content()
    data[5 * RECORD_BYTES : 5 * RECORD_BYTES + 20] = bytes(range(20))
    return data


def lacking() -> bytearray:
    data = content()
    del data[record(5)]
    return data


def repeating() -> bytearray:
    data = content()
    return data[: 6 * RECORD_BYTES] + data[record(5)] + data[6 * RECORD_BYTES :]


def jumping() -> bytearray:
    """Return a file whose precise clock is 0.3 s late in one record."""
    data = content()
    header = np.frombuffer(data, OLD, count=1, offset=5 * RECORD_BYTES)
    late = header_from_begin(int(begins_us(RECORDS)[5]) + 300_000, RATE_HZ, 231_800)
    header["timecount"], header["tSec"], header["tuSec"] = (
        late[name] for name in ("timecount", "tSec", "tuSec")
    )
    return data


FILES = [content, lacking, jumping]


@given(
    make=st.sampled_from([content, jumping]),
    first=st.integers(0, RECORDS * RECORD_SAMPLES - 1),
    length=st.integers(1, 30_000),
)
@settings(max_examples=60)
def test_a_span_is_what_the_whole_has_there(
    tmp_path_factory: pytest.TempPathFactory, make: object, first: int, length: int
) -> None:
    assert callable(make)
    path = write_feed(tmp_path_factory.mktemp("span"), bytes(make()))
    whole, last = read(path), min(first + length, RECORDS * RECORD_SAMPLES)
    span = read_span(path, first, last)
    assert np.array_equal(span.samples, whole.samples[first:last])
    assert abs(span.begin - whole.time_of(first)) <= timedelta(microseconds=1)
    assert abs(span.end - whole.time_of(last)) <= timedelta(microseconds=2)
    assert (span.sample, span.file, span.gaps) == (first, path.name, ())


def test_a_span_over_lacking_records_has_zeros_and_a_gap_there(tmp_path: Path) -> None:
    path = write_feed(tmp_path, bytes(lacking()))
    whole, span = read(path), read_span(path, 4 * RECORD_SAMPLES + 100, 6 * RECORD_SAMPLES)
    assert np.array_equal(
        span.samples, whole.samples[4 * RECORD_SAMPLES + 100 :][: len(span.samples)]
    )
    assert len(span.samples) == 3 * RECORD_SAMPLES - 100
    assert span.gaps == whole.gaps
    assert len(span.gaps) == 1


@pytest.mark.parametrize("zeros", [1, 5_000, 200_000])
def test_a_span_over_damage_is_what_the_whole_has_there(tmp_path: Path, zeros: int) -> None:
    data = content()
    data[record(1)] = bytes(zeros)
    path = write_feed(tmp_path, bytes(data))
    whole, span = read(path), read_span(path, 100, 2 * RECORD_SAMPLES)
    assert len(span.samples) == 3 * RECORD_SAMPLES - 100
    assert np.array_equal(span.samples, whole.samples[100 : 3 * RECORD_SAMPLES])
    assert span.gaps == whole.gaps
    assert len(span.gaps) == 1


@given(
    holes=st.lists(st.tuples(st.integers(0, 80_000), st.integers(1, 60_000)), max_size=3),
    first=st.integers(0, 20_000),
    fill=st.binary(min_size=1, max_size=90),
)
@example(holes=[(0, 75)], first=0, fill=b"\0f\0\0")  # a pattern repeats its number as well
@settings(max_examples=40)
def test_a_span_of_any_damaged_file_is_the_end_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    holes: list[tuple[int, int]],
    first: int,
    fill: bytes,
) -> None:
    data = content()
    for byte, length in sorted(holes, reverse=True):
        data[byte:byte] = (fill * length)[:length]
    path = write_feed(tmp_path_factory.mktemp("holes"), bytes(data))
    whole, span = read(path), read_span(path, 0, RECORDS * RECORD_SAMPLES)
    assert np.array_equal(span.samples, whole.samples)
    assert span.gaps == whole.gaps
    records = examine(path).records
    if first < records * RECORD_SAMPLES:
        tail = read_span(path, first, RECORDS * RECORD_SAMPLES).samples
        assert np.array_equal(tail, whole.samples[len(whole.samples) - len(tail) :])


def far_apart(seconds: float, rate_hz: float) -> bytes:
    begin, times = begins_us(1), []
    for k in range(2):
        late = begin + round(k * seconds * 1e6)
        one = noise(1, seed=k)
        times.append(encode_records(one, begins_us=late, first_number=9 * k, rate_hz=rate_hz))
    return b"".join(times)


@pytest.mark.parametrize(
    ("seconds", "rate_hz", "wanted"),
    [(3500, 24_000.0, "wanted under 0:30:00"), (1700, 96_000.0, "wanted under 67108864")],
)
def test_a_small_file_does_not_ask_for_gigabytes(
    tmp_path: Path, seconds: float, rate_hz: float, wanted: str
) -> None:
    path = write_feed(tmp_path, far_apart(seconds, rate_hz))
    with pytest.raises(DataError, match=f"found gaps of .* {wanted}"):
        read(path, rate_hz=rate_hz)
    near = write_feed(tmp_path, far_apart(100, rate_hz))
    assert len(read(near, rate_hz=rate_hz).gaps) == 1


@pytest.mark.parametrize(("first", "last"), [(5, 5), (7, 3), (RECORDS * RECORD_SAMPLES, 10**9)])
def test_a_span_without_sound_is_refused(tmp_path: Path, first: int, last: int) -> None:
    path = write_feed(tmp_path, bytes(content()))
    with pytest.raises(IndexError, match="no sound in samples"):
        read_span(path, first, last)


def test_a_repeated_record_is_heard_once_in_a_span_too(tmp_path: Path) -> None:
    path = write_feed(tmp_path, bytes(repeating()))
    span = read_span(path, 5 * RECORD_SAMPLES, 8 * RECORD_SAMPLES)
    wanted = noise(RECORDS)[5 * RECORD_SAMPLES : 7 * RECORD_SAMPLES]
    assert np.array_equal(span.samples, wanted)


@pytest.mark.parametrize("rate_hz", [44_100.0, 96_000.0])
def test_the_rate_may_be_given(tmp_path: Path, rate_hz: float) -> None:
    times = record_begins_us(datetime(2024, 3, 1, 6, tzinfo=UTC), 0, 3, rate_hz=rate_hz)
    data = encode_records(noise(3), begins_us=times, first_number=0, rate_hz=rate_hz)
    path = write_feed(tmp_path, data, "copy")
    sound = read(path, rate_hz=rate_hz)
    assert (sound.rate_hz, len(sound.samples)) == (rate_hz, 3 * RECORD_SAMPLES)
    assert read_span(path, 5, 50, rate_hz=rate_hz).rate_hz == rate_hz
    with pytest.raises(FilenameError, match="found 'copy'"):
        read(path)


def test_times_are_the_headers_until_a_table_of_errors_is_given(tmp_path: Path) -> None:
    begin = datetime(2018, 10, 28, 0, 59, 59, 400_000, tzinfo=UTC)
    times = record_begins_us(begin, 0, RECORDS)
    data = encode_records(noise(RECORDS), begins_us=times, first_number=0)
    path = write_feed(tmp_path, data, "2018-10-28--01.00.HYD24BBpk")
    assert read(path).begin == begin
    known = known_clock_errors()
    assert read(path, clock_errors=known).begin == begin - timedelta(seconds=5)
    span = read_span(path, 30_000, 40_000, clock_errors=known)
    assert span.begin == read(path, clock_errors=known).time_of(30_000)
    assert examine(path).clock_error_s == 5


@pytest.mark.parametrize("layout", ["earliest", "old", "new", "shore"])
def test_an_older_name_holds_unpacked_samples(tmp_path: Path, layout: str) -> None:
    data = feed(noise(3), layout=layout, bits=32)
    path = write_feed(tmp_path, data, "2011-06-09--00.00.HYDR24KBB")
    assert np.array_equal(read(path).samples, noise(3))
    assert examine(path).layout == layout


def test_a_wav_copy_is_read_as_a_file(tmp_path: Path) -> None:
    sound = read(write_feed(tmp_path, bytes(content())))
    copy = tmp_path / "2024-03-01--06.00.wav"
    save(sound, copy)
    assert np.array_equal(read(copy).samples, sound.samples)
    assert np.array_equal(read_span(copy, 10, 5000).samples, sound.samples[10:5000])


def test_a_sound_file_reports_nothing_wrong(tmp_path: Path) -> None:
    report = examine(write_feed(tmp_path, bytes(content())))
    assert (report.records, report.samples) == (RECORDS, RECORDS * RECORD_SAMPLES)
    assert (report.layout, report.unpacked, report.bits) == ("old", False, ((BITS, RECORDS),))
    assert (report.faults, report.fault_count, report.damaged_bytes) == ((), 0, 0)
    assert report.begin == read(tmp_path / NAME).begin


def test_a_damaged_record_is_reported_by_byte_number_and_reason(tmp_path: Path) -> None:
    report = examine(write_feed(tmp_path, bytes(damaged_header())))
    damaged, skipped = report.faults
    assert (damaged.kind, damaged.byte, damaged.length_bytes) == (
        "damaged",
        5 * RECORD_BYTES,
        RECORD_BYTES,
    )
    assert damaged.number == 11
    assert "no record header" in damaged.reason
    assert (skipped.kind, skipped.number, skipped.count) == ("skipped", 13, 1)
    assert report.damaged_bytes == RECORD_BYTES


def test_a_skipped_record_is_reported(tmp_path: Path) -> None:
    report = examine(write_feed(tmp_path, bytes(lacking())))
    reason = "found number 13 after 11"
    assert report.faults == (Fault("skipped", 5 * RECORD_BYTES, 0, 13, 1, reason),)
    assert (report.skipped, report.repeated) == (1, 0)


def test_a_repeated_record_is_reported(tmp_path: Path) -> None:
    report = examine(write_feed(tmp_path, bytes(repeating())))
    reason = "found number 12 after 12"
    wanted = Fault("repeated", 6 * RECORD_BYTES, RECORD_BYTES, 12, 1, reason)
    assert report.faults == (wanted,)
    assert (report.skipped, report.repeated, report.records) == (0, 1, RECORDS + 1)


def test_what_the_end_cuts_off_is_reported(tmp_path: Path) -> None:
    report = examine(write_feed(tmp_path, bytes(content()[:-100])))
    assert [(f.kind, f.byte, f.length_bytes, f.number) for f in report.faults] == [
        ("cut off", 11 * RECORD_BYTES, RECORD_BYTES - 100, 17)
    ]


def test_an_empty_file_is_reported_and_is_no_sound(tmp_path: Path) -> None:
    path = write_feed(tmp_path, b"")
    report = examine(path)
    assert (report.records, report.begin, report.faults) == (0, None, ())
    with pytest.raises(DataError, match="empty file"):
        read(path)


@pytest.mark.parametrize("of", [read, examine])
def test_a_file_that_is_not_there_is_not_ready(tmp_path: Path, of: object) -> None:
    assert callable(of)
    with pytest.raises(NotReadyError, match="No such file"):
        of(tmp_path / NAME)


def test_a_report_on_nothing_but_damage_is_bounded(tmp_path: Path) -> None:
    heads = np.frombuffer(bytes(content()[:HEADER_BYTES]) * 5000, OLD).copy()
    heads["Record"] = heads["Record_Duplicate"] = np.arange(5000)
    report = examine(write_feed(tmp_path, heads.tobytes()))
    assert len(report.faults) <= 1001
    assert report.fault_count > 4000
    assert report.records == 0


def test_a_gapless_report_agrees_with_the_reader_on_every_width(tmp_path: Path) -> None:
    samples = np.concatenate([noise(1, deviation=2.0**k) for k in range(2, 20)])
    report = examine(write_feed(tmp_path, feed(samples)))
    assert sum(count for _, count in report.bits) == report.records == 18
    assert replace(report, file="").size_bytes == len(feed(samples))
