"""A damaged file costs only its damaged records, and says which."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acoio.errors import DataError, NotReadyError
from acoio.header import HEADER_BYTES, RECORD_SAMPLES
from acoio.reader import Chunk, read_chunk, read_chunks
from acoio.record import Damage, Record
from acoio.writer import encode_records

from .feeds import RATE_HZ, begins_us, feed, noise, write_feed

RECORDS = 12
BITS = 13
RECORD_BYTES = HEADER_BYTES + 512 * BITS


@pytest.fixture
def samples() -> NDArray[np.int32]:
    return noise(RECORDS)


@pytest.fixture
def content(samples: NDArray[np.int32]) -> bytearray:
    return bytearray(feed(samples, bits=BITS))


def chunk_of(folder: Path, content: bytes | bytearray, limit: int = 512) -> Chunk:
    return read_chunk(write_feed(folder, bytes(content)), rate_hz=RATE_HZ, limit=limit)


def records_of(path: Path, damages: list[Damage]) -> list[Record]:
    """Return the records of a file; what gave no sound is added to `damages`."""
    chunks = list(read_chunks(path, rate_hz=RATE_HZ))
    damages += [damage for chunk in chunks for damage in chunk.damages]
    damages += [chunks[-1].tail] if chunks[-1].tail else []
    return [record for chunk in chunks for record in chunk.records]


def numbers(records: tuple[Record, ...]) -> list[int]:
    return [record.number - 7 for record in records]


@pytest.mark.parametrize("layout", ["old", "new"])
def test_a_file_gives_its_samples_and_its_layout(
    tmp_path: Path, samples: NDArray[np.int32], layout: str
) -> None:
    path = write_feed(tmp_path, feed(samples, layout=layout))
    chunk = read_chunk(path, rate_hz=RATE_HZ)
    assert np.array_equal(np.concatenate([r.samples for r in chunk.records]), samples)
    assert {record.layout for record in chunk.records} == {layout}
    assert chunk.records[3].fields()["Record_Duplicate"] == 10
    assert (chunk.damages, chunk.tail) == ((), None)


@pytest.mark.parametrize("limit", [1, 2, 5, 12, 13])
def test_reading_in_pieces_gives_the_same_records(
    tmp_path: Path, content: bytearray, limit: int
) -> None:
    path = write_feed(tmp_path, bytes(content))
    pieces: list[Record] = []
    byte = 0
    while (
        chunk := read_chunk(path, byte, sample=len(pieces) * 4096, rate_hz=RATE_HZ, limit=limit)
    ).records:
        pieces += chunk.records
        byte = chunk.next_byte
    whole = read_chunk(path, rate_hz=RATE_HZ).records
    assert [(r.byte, r.sample, r.begin) for r in pieces] == [
        (r.byte, r.sample, r.begin) for r in whole
    ]


@pytest.mark.parametrize("bits", [0, 33, 77, 255])
def test_a_header_with_an_impossible_width_costs_one_record(
    tmp_path: Path, content: bytearray, bits: int
) -> None:
    content[4 * RECORD_BYTES + 35] = bits
    chunk = chunk_of(tmp_path, content)
    assert numbers(chunk.records) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    wanted = f"sample size: found {bits} bits, wanted 1 to 32"
    assert chunk.damages == (Damage(4 * RECORD_BYTES, RECORD_BYTES, wanted),)


@pytest.mark.parametrize("bits", [1, 12, 14, 32])
def test_a_width_that_lies_costs_one_record(tmp_path: Path, content: bytearray, bits: int) -> None:
    content[4 * RECORD_BYTES + 35] = bits
    chunk = chunk_of(tmp_path, content)
    assert 4 not in numbers(chunk.records)
    assert numbers(chunk.records) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    assert [(d.byte, d.length_bytes) for d in chunk.damages] == [(4 * RECORD_BYTES, RECORD_BYTES)]


def test_an_overwritten_header_costs_one_record(tmp_path: Path, content: bytearray) -> None:
    at = 6 * RECORD_BYTES
    content[at : at + HEADER_BYTES] = bytes(range(HEADER_BYTES))
    chunk = chunk_of(tmp_path, content)
    assert numbers(chunk.records) == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    assert chunk.damages[0].byte == at


Wound = tuple[int, int]  # a byte of the header, and its new value
WOUNDS: list[Wound] = [(35, 0), (35, 77), (35, 12), (35, 15), (0, 200), (4, 9), (15, 255)]


def wounded(damage: dict[int, Wound]) -> bytes:
    """Return a feed with one wrong header byte in each of some records."""
    content = bytearray(feed(noise(RECORDS), bits=BITS))
    for k, (byte, value) in damage.items():
        content[k * RECORD_BYTES + byte] = value
    return bytes(content)


@given(damage=st.dictionaries(st.integers(0, RECORDS - 1), st.sampled_from(WOUNDS[:2]), max_size=9))
@settings(max_examples=60)
def test_damaged_headers_cost_their_records_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, damage: dict[int, Wound]
) -> None:
    chunk = chunk_of(tmp_path_factory.mktemp("wounds"), wounded(damage))
    left = [k for k in range(RECORDS) if k not in damage]
    assert numbers(chunk.records) == left
    expected = noise(RECORDS).reshape(RECORDS, -1)
    assert all(np.array_equal(r.samples, expected[r.number - 7]) for r in chunk.records)


@given(
    damage=st.dictionaries(st.integers(0, RECORDS - 1), st.sampled_from(WOUNDS), max_size=5),
    cuts=st.lists(st.integers(0, RECORDS * RECORD_BYTES), max_size=12),
    limit=st.sampled_from([1, 2, 5, 512]),
)
@settings(max_examples=150)
def test_a_growing_file_gives_what_the_whole_one_gives(
    tmp_path_factory: pytest.TempPathFactory,
    damage: dict[int, Wound],
    cuts: list[int],
    limit: int,
) -> None:
    content = wounded(damage)
    path = tmp_path_factory.mktemp("grow") / "file"
    # A file seen to end just where a lying sample size says is the one case that no
    # reader can tell from a whole record.
    record_ends = {k * RECORD_BYTES + 36 + 512 * w for k in range(RECORDS) for w in (12, 15)}
    grown: list[Record] = []
    byte = 0
    for cut in [*sorted(set(cuts) - record_ends), len(content)]:
        path.write_bytes(content[:cut])
        final = cut == len(content)
        while True:
            chunk = read_chunk(
                path,
                byte,
                sample=4096 * len(grown),
                rate_hz=RATE_HZ,
                limit=limit,
                final=final,
            )
            grown += chunk.records
            if chunk.next_byte == byte:
                break
            byte = chunk.next_byte
    whole = read_chunk(path, rate_hz=RATE_HZ).records
    assert [(r.number, r.byte, r.bits, r.sample) for r in grown] == [
        (r.number, r.byte, r.bits, r.sample) for r in whole
    ]


def test_resynchronising_in_a_file_of_wounds_stays_quick(tmp_path: Path) -> None:
    """Each search goes no further than the next header: work in proportion to the file."""
    content = bytearray(feed(noise(300), bits=BITS))
    for k in range(0, 300, 3):
        content[k * RECORD_BYTES + 35] = 0
    chunk = chunk_of(tmp_path, content)
    assert len(chunk.records) == 200
    assert sum(d.length_bytes for d in chunk.damages) == 100 * RECORD_BYTES


def test_record_numbers_may_wrap(tmp_path: Path) -> None:
    content = bytearray(
        encode_records(noise(4), begins_us=begins_us(4), first_number=(1 << 32) - 2, bits=BITS)
    )
    content[RECORD_BYTES + 35] = 12
    chunk = chunk_of(tmp_path, content)
    assert [r.number for r in chunk.records] == [(1 << 32) - 2, 0, 1]


def test_bytes_lost_within_a_record_cost_that_record(tmp_path: Path, content: bytearray) -> None:
    at = 3 * RECORD_BYTES + 1000
    del content[at : at + 777]
    chunk = chunk_of(tmp_path, content)
    assert numbers(chunk.records) == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]
    assert sum(d.length_bytes for d in chunk.damages) == RECORD_BYTES - 777


@pytest.mark.parametrize("field", [12, 16, 20])
def test_a_clock_of_another_century_is_damage(
    tmp_path: Path, content: bytearray, field: int
) -> None:
    content[field : field + 4] = b"\xff\xff\xff\xff"
    chunk = chunk_of(tmp_path, content)
    assert numbers(chunk.records) == list(range(1, RECORDS))
    assert "wanted a time from 2000 to 2100" in chunk.damages[0].reason


@given(cut=st.integers(0, RECORDS * RECORD_BYTES))
@settings(max_examples=40)
def test_a_file_cut_short_gives_every_whole_record(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    chunk = chunk_of(folder, feed(noise(RECORDS), bits=BITS)[:cut])
    assert numbers(chunk.records) == list(range(cut // RECORD_BYTES))
    assert (chunk.tail.length_bytes if chunk.tail else 0) == cut % RECORD_BYTES
    assert chunk.damages == ()


def test_the_next_read_goes_on_with_a_record_that_has_become_whole(
    tmp_path: Path, content: bytearray
) -> None:
    path = write_feed(tmp_path, bytes(content[: 5 * RECORD_BYTES + 100]))
    first = read_chunk(path, rate_hz=RATE_HZ)
    path.write_bytes(bytes(content))
    second = read_chunk(path, first.next_byte, rate_hz=RATE_HZ)
    assert numbers(first.records) + numbers(second.records) == list(range(RECORDS))


def test_a_short_last_record_is_told(tmp_path: Path, content: bytearray) -> None:
    path = write_feed(tmp_path, bytes(content[:-10]))
    damages: list[Damage] = []
    assert len(records_of(path, damages)) == RECORDS - 1
    reason = f"short last record: found {RECORD_BYTES - 10} bytes, wanted {RECORD_BYTES}"
    assert damages == [Damage((RECORDS - 1) * RECORD_BYTES, RECORD_BYTES - 10, reason)]


@given(st.binary(max_size=3 * RECORD_BYTES))
@settings(max_examples=60)
def test_noise_gives_damage_and_no_sound(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    damages: list[Damage] = []
    path = write_feed(tmp_path_factory.mktemp("noise"), content)
    assert records_of(path, damages) == []
    assert sum(d.length_bytes for d in damages) == len(content)


@given(at=st.integers(0, RECORDS * RECORD_BYTES - 1), byte=st.integers(0, 255))
@settings(max_examples=150)
def test_one_wrong_byte_costs_at_most_one_record(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    content = bytearray(feed(noise(RECORDS), bits=BITS))
    content[at] = byte
    chunk = chunk_of(tmp_path_factory.mktemp("byte"), content)
    assert len(chunk.records) >= RECORDS - 1


def test_zeros_are_no_sound_however_many(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 40_000_000)
    chunk = read_chunk(path, rate_hz=RATE_HZ)
    assert chunk.records == ()
    assert chunk.next_byte <= 9_000_000


def test_an_empty_file_gives_nothing(tmp_path: Path) -> None:
    assert chunk_of(tmp_path, b"") == Chunk((), (), 0, None)


def test_a_missing_file_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        read_chunk(tmp_path / "gone", rate_hz=RATE_HZ)


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="no regular file"):
        read_chunk(tmp_path / "pipe", rate_hz=RATE_HZ)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no regular file"):
        read_chunk(tmp_path, rate_hz=RATE_HZ)


def test_what_a_limit_leaves_unread_is_no_tail(tmp_path: Path, content: bytearray) -> None:
    chunk = chunk_of(tmp_path, content, limit=3)
    assert (len(chunk.records), chunk.tail) == (3, None)


def test_records_count_samples_of_the_file(tmp_path: Path, content: bytearray) -> None:
    chunk = chunk_of(tmp_path, content)
    assert [r.sample for r in chunk.records] == list(
        range(0, RECORDS * RECORD_SAMPLES, RECORD_SAMPLES)
    )
