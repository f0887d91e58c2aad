"""The writer's laws: what is written is what is read, at the times that were given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from acoio.clock import from_us, record_us, to_us
from acoio.header import BYTES_PER_BIT, HEADER_BYTES, RECORD_SAMPLES
from acoio.reader import read_chunk
from acoio.sound import Gap, Sound
from acoio.writer import encode_records, record_begins_us, write

BEGIN = datetime(2024, 3, 1, 5, 59, 59, 480_123, tzinfo=UTC)


def _samples(bits: int, records: int = 2) -> NDArray[np.int32]:
    """Random samples of a width, with both ends of its range in each record."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    rng = np.random.default_rng(bits)
    drawn = rng.integers(low, high, (records, RECORD_SAMPLES), endpoint=True)
    drawn[:, 7], drawn[:, -1] = low, high
    return drawn.astype(np.int32).reshape(-1)


def _sound(samples: NDArray[np.int32], rate_hz: float = 24_000.0) -> Sound:
    count = len(samples) // RECORD_SAMPLES
    return Sound(samples, rate_hz, record_begins_us(BEGIN, 0, count, rate_hz=rate_hz))


def _read(path: Path) -> NDArray[np.int32]:
    return np.concatenate([r.samples for r in read_chunk(path, rate_hz=24_000.0).records])


@pytest.mark.parametrize("layout", ["old", "new"])
@pytest.mark.parametrize("bits", range(1, 33))
def test_what_is_written_is_read_back(tmp_path: Path, bits: int, layout: str) -> None:
    samples, path = _samples(bits), tmp_path / "a"
    begins = record_begins_us(BEGIN, 0, 2)
    path.write_bytes(encode_records(samples, begins_us=begins, first_number=7, layout=layout))
    chunk = read_chunk(path, rate_hz=24_000.0)
    np.testing.assert_array_equal(np.concatenate([r.samples for r in chunk.records]), samples)
    assert [r.number for r in chunk.records] == [7, 8]
    assert [r.bits for r in chunk.records] == [bits, bits]
    assert [to_us(r.begin) for r in chunk.records] == begins.tolist()
    assert {r.layout for r in chunk.records} == {layout}
    assert not chunk.damages
    assert chunk.tail is None


def test_each_record_gets_the_smallest_width_that_holds_it(tmp_path: Path) -> None:
    samples = np.concatenate([_samples(bits, 1) for bits in (16, 3, 17, 3, 32, 1)])
    content = encode_records(samples, begins_us=[to_us(BEGIN)] * 6, first_number=0)
    assert len(content) == 6 * HEADER_BYTES + BYTES_PER_BIT * (16 + 3 + 17 + 3 + 32 + 1)
    (tmp_path / "a").write_bytes(content)
    np.testing.assert_array_equal(_read(tmp_path / "a"), samples)


def test_a_given_width_is_kept_and_one_too_small_is_refused() -> None:
    samples = _samples(12, 1)
    content = encode_records(samples, begins_us=[to_us(BEGIN)], first_number=0, bits=20)
    assert content[HEADER_BYTES - 1] == 20
    with pytest.raises(ValueError, match="samples need 12 bits, found 11"):
        encode_records(samples, begins_us=[to_us(BEGIN)], first_number=0, bits=11)


def test_silence_takes_one_bit_a_sample() -> None:
    silence = np.zeros(RECORD_SAMPLES, np.int32)
    content = encode_records(silence, begins_us=[to_us(BEGIN)], first_number=0)
    assert len(content) == HEADER_BYTES + BYTES_PER_BIT


def test_no_records_are_no_bytes() -> None:
    assert encode_records(np.zeros(0, np.int32), begins_us=[], first_number=0) == b""


def test_the_record_number_wraps_as_an_unsigned_word() -> None:
    samples = np.zeros(2 * RECORD_SAMPLES, np.int32)
    content = encode_records(samples, begins_us=[to_us(BEGIN)] * 2, first_number=(1 << 32) - 1)
    second = HEADER_BYTES + BYTES_PER_BIT
    assert content[:4] == b"\xff" * 4
    assert content[second : second + 4] == b"\0" * 4


@pytest.mark.parametrize(
    ("samples", "begins", "layout", "message"),
    [
        (np.zeros(4095, np.int32), [0], "new", "found shape"),
        (np.zeros(4096, np.int32), [0, 1], "new", "found shape"),
        (np.zeros(4096, np.int64), [0], "new", "found int64"),
        (np.zeros(4096, np.int32), [0], "newest", "layout: found 'newest'"),
    ],
)
def test_what_is_no_whole_records_is_refused(
    samples: NDArray[np.int32], begins: list[int], layout: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        encode_records(samples, begins_us=begins, first_number=0, layout=layout)


def test_a_written_file_bears_its_times_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    samples = _samples(15, 5)
    path = tmp_path / "2024-03-01--06.00.HYD24BBpk"
    write(path, _sound(samples), layout="old", first_number=3)
    chunk = read_chunk(path, rate_hz=24_000.0)
    np.testing.assert_array_equal(np.concatenate([r.samples for r in chunk.records]), samples)
    wanted = [from_us(to_us(BEGIN) + round(k * record_us())) for k in range(5)]
    assert [r.begin for r in chunk.records] == wanted
    assert list(tmp_path.iterdir()) == [path]


def test_a_refused_file_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found shape"):
        write(tmp_path / "a", Sound(np.zeros(100, np.int32), 24_000.0, np.zeros(1, np.int64)))
    assert not list(tmp_path.iterdir())


def test_a_sound_with_gaps_is_no_file(tmp_path: Path) -> None:
    gap = Gap(BEGIN, BEGIN.replace(minute=59, second=59, microsecond=900_000))
    with pytest.raises(ValueError, match="found 1 gaps"):
        write(tmp_path / "a", replace(_sound(_samples(9, 3)), gaps=(gap,)))


@pytest.mark.parametrize("rate_hz", [24_000.0, 96_000.0])
def test_times_hold_at_every_rate(tmp_path: Path, rate_hz: float) -> None:
    write(tmp_path / "a", _sound(_samples(9, 3), rate_hz))
    records = read_chunk(tmp_path / "a", rate_hz=rate_hz).records
    steps_us = np.diff([to_us(r.begin) for r in records])
    assert records[0].begin == BEGIN
    np.testing.assert_allclose(steps_us, record_us(rate_hz), atol=1.0)


def test_record_times_do_not_depend_on_where_files_are_cut() -> None:
    whole = record_begins_us(BEGIN, 0, 5000)
    cut = [record_begins_us(BEGIN, 0, 1757), record_begins_us(BEGIN, 1757, 3243)]
    np.testing.assert_array_equal(np.concatenate(cut), whole)
