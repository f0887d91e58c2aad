"""Layouts are told apart by what is in the file, over several records."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acoio.header import HEADER_BYTES, LAYOUTS, RECORD_SAMPLES, layout_of
from acoio.reader import Chunk, chunk_of, read_chunk
from acoio.writer import encode_records

from .feeds import RATE_HZ, begins_us, feed, noise, write_feed

RECORDS = 8
BITS = 13
RECORD_BYTES = HEADER_BYTES + 512 * BITS
UNPACKED_BYTES = HEADER_BYTES + 4 * RECORD_SAMPLES
QUIET = [name for name in LAYOUTS if "Record_Duplicate" not in (LAYOUTS[name].names or ())]


def heard(chunk: Chunk) -> list[int]:
    """Return the records that were read, counted from 0, once their samples are checked."""
    wanted = noise(RECORDS).reshape(RECORDS, -1)
    assert all(np.array_equal(r.samples, wanted[r.number - 7]) for r in chunk.records)
    return [record.number - 7 for record in chunk.records]


def unpacked(said: int, layout: str = "old") -> bytearray:
    """Return a file of unpacked samples whose headers say some width."""
    content = bytearray(feed(noise(RECORDS), layout=layout, bits=32))
    content[HEADER_BYTES - 1 :: UNPACKED_BYTES] = bytes([said]) * RECORDS
    return content


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_36_bytes_with_the_same_fields_at_the_same_place(layout: str) -> None:
    dtype = LAYOUTS[layout]
    assert dtype.itemsize == HEADER_BYTES
    places = {name: place for name, (_, place, *_) in (dtype.fields or {}).items()}
    wanted = {"Record": 0, "tSec": 12, "tuSec": 16, "timecount": 20, "SampleSize": 35}
    assert {name: places[name] for name in wanted} == wanted


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bits", range(1, 33))
def test_every_width_in_every_layout_is_read_back(layout: str, bits: int) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    drawn = np.random.default_rng(bits).integers(low, high, 2 * RECORD_SAMPLES, endpoint=True)
    drawn[:2] = low, high
    samples, times = drawn.astype(np.int32), begins_us(2)
    content = encode_records(samples, begins_us=times, first_number=0, layout=layout, bits=bits)
    chunk = chunk_of(content, rate_hz=RATE_HZ)
    assert np.array_equal(np.concatenate([r.samples for r in chunk.records]), samples)
    assert {(r.layout, r.bits) for r in chunk.records} == {(layout, bits)}
    assert (chunk.damages, chunk.tail) == ((), None)


@given(
    layout=st.sampled_from(list(LAYOUTS)),
    widths=st.lists(st.integers(1, 32), min_size=2, max_size=6),
    first=st.integers(0, (1 << 32) - 1),
)
@settings(max_examples=60)
def test_records_of_any_widths_and_numbers_are_read_back(
    layout: str, widths: list[int], first: int
) -> None:
    count = len(widths)
    peaks = np.repeat([(1 << (bits - 1)) - 1 for bits in widths], RECORD_SAMPLES)
    samples = (peaks * np.resize([1, -1, 0, 0.5], peaks.size)).astype(np.int32)
    content = encode_records(samples, begins_us=begins_us(count), first_number=first, layout=layout)
    chunk = chunk_of(content, rate_hz=RATE_HZ)
    assert np.array_equal(np.concatenate([r.samples for r in chunk.records]), samples)
    assert [r.number for r in chunk.records] == [(first + k) % (1 << 32) for k in range(count)]
    assert {r.layout for r in chunk.records} == {layout}


def test_one_header_that_looks_like_another_layout_is_outvoted() -> None:
    content = bytearray(feed(noise(RECORDS), layout="shore", bits=BITS))
    at = 3 * RECORD_BYTES
    content[at + 8 : at + 12] = content[at : at + 4]  # the milliseconds are the number
    assert {r.layout for r in chunk_of(bytes(content), rate_hz=RATE_HZ).records} == {"shore"}


def test_a_calendar_tells_the_earliest_layout() -> None:
    fields = chunk_of(feed(noise(2), layout="earliest"), rate_hz=RATE_HZ).records[0].fields()
    assert [fields[name] for name in ("Year", "yDay", "Hour", "Min")] == [2024, 61, 6, 0]


def test_seconds_of_this_century_are_never_a_calendar() -> None:
    headers = np.zeros(1000, LAYOUTS["old"])
    headers["AtSec"] = np.linspace(946_684_800, 4_102_444_799, 1000)
    headers["Record"] = 5
    assert layout_of(headers) == "shore"


@pytest.mark.parametrize("layout", QUIET)
@pytest.mark.parametrize("byte", [0, 13, 15, 19, 23, 35])
def test_a_damaged_header_among_neighbours_costs_one_record(layout: str, byte: int) -> None:
    content = bytearray(feed(noise(RECORDS), layout=layout, bits=BITS))
    content[4 * RECORD_BYTES + byte] ^= 0xFF
    chunk = chunk_of(bytes(content), rate_hz=RATE_HZ)
    assert heard(chunk) == [0, 1, 2, 3, 5, 6, 7]
    assert [(d.byte, d.length_bytes) for d in chunk.damages] == [(4 * RECORD_BYTES, RECORD_BYTES)]


@pytest.mark.parametrize("layout", QUIET)
def test_one_record_alone_of_a_layout_that_repeats_nothing_is_not_believed(layout: str) -> None:
    chunk = chunk_of(feed(noise(1), layout=layout, bits=BITS), rate_hz=RATE_HZ)
    assert chunk.records == ()
    assert "wanted it repeated, or counted on by a neighbour" in chunk.damages[0].reason


@given(
    layout=st.sampled_from(QUIET),
    cuts=st.lists(st.integers(0, RECORDS * RECORD_BYTES), max_size=8),
    wound=st.tuples(st.integers(0, RECORDS - 1), st.sampled_from([0, 15, 19, 35])),
    limit=st.sampled_from([1, 2, 512]),
)
@settings(max_examples=80)
def test_a_growing_file_of_a_quiet_layout_gives_what_the_whole_one_gives(
    tmp_path_factory: pytest.TempPathFactory,
    layout: str,
    cuts: list[int],
    wound: tuple[int, int],
    limit: int,
) -> None:
    content = bytearray(feed(noise(RECORDS), layout=layout, bits=BITS))
    content[wound[0] * RECORD_BYTES + wound[1]] = 77
    path = tmp_path_factory.mktemp("grow") / "file"
    grown: list[tuple[int, int]] = []
    byte = 0
    for cut in [*sorted(cuts), len(content)]:
        path.write_bytes(content[:cut])
        while True:
            chunk = read_chunk(path, byte, rate_hz=RATE_HZ, limit=limit, final=cut == len(content))
            grown += [(r.number, r.byte) for r in chunk.records]
            if chunk.next_byte == byte:
                break
            byte = chunk.next_byte
    whole = chunk_of(bytes(content), rate_hz=RATE_HZ).records
    assert grown == [(r.number, r.byte) for r in whole]
    assert len(whole) >= RECORDS - 2


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("said", [0, 8, 24, 32, 77])
def test_unpacked_samples_are_read_whatever_the_header_says(layout: str, said: int) -> None:
    chunk = chunk_of(bytes(unpacked(said, layout)), rate_hz=RATE_HZ)
    assert heard(chunk) == list(range(RECORDS))
    assert {(r.bits, r.layout) for r in chunk.records} == {(32, layout)}
    assert (chunk.damages, chunk.tail) == ((), None)


@pytest.mark.parametrize("limit", [1, 3])
def test_unpacked_samples_are_read_in_pieces_as_in_one(tmp_path: Path, limit: int) -> None:
    path = write_feed(tmp_path, bytes(unpacked(24)))
    pieces: list[int] = []
    byte = 0
    while (chunk := read_chunk(path, byte, rate_hz=RATE_HZ, limit=limit)).records:
        pieces += heard(chunk)
        byte = chunk.next_byte
    assert pieces == list(range(RECORDS))


def test_a_damaged_header_among_unpacked_records_costs_one_record() -> None:
    content = unpacked(24)
    content[4 * UNPACKED_BYTES + 15] = 0xFF
    chunk = chunk_of(bytes(content), rate_hz=RATE_HZ)
    assert heard(chunk) == [0, 1, 2, 3, 5, 6, 7]
    assert sum(d.length_bytes for d in chunk.damages) == UNPACKED_BYTES


def test_clocks_that_go_back_confirm_nothing() -> None:
    times: NDArray[np.int64] = begins_us(RECORDS)[::-1]
    content = encode_records(
        noise(RECORDS), begins_us=times, first_number=7, layout="shore", bits=BITS
    )
    assert all(a > b for a, b in pairwise(times.tolist()))
    assert chunk_of(content, rate_hz=RATE_HZ).records == ()
