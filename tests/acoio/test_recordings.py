"""The observatory's own recordings decode to what others have decoded."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import acoio
from acoio.clock import ClockRepair, from_us, to_us
from acoio.header import LAYOUTS, OLD, RECORD_SAMPLES
from acoio.load import read_span
from acoio.reader import chunk_of
from acoio.record import Record
from acoio.report import examine_records as examine
from acoio.writer import encode_records
from tests.shared import ACO, needs_recordings, real_files

pytestmark = needs_recordings
MATLAB_1970 = 719_529  # days from year 0 to 1970, as the times of 2018 are counted
GLITCH = "181028-133000"


@pytest.mark.parametrize("k", [0, 1])
def test_real_files_decode_to_the_right_samples(k: int) -> None:
    path = real_files()[k]
    wanted = json.loads((ACO / "decoded.json").read_text())[path.name]
    sound = acoio.read(path)
    assert len(sound.samples) == wanted["samples"]
    assert (
        hashlib.sha256(sound.samples.astype("<i4").tobytes()).hexdigest()
        == wanted["int32_le_sha256"]
    )
    assert sound.gaps == ()


def test_real_files_join_without_a_break() -> None:
    first, second = (acoio.read(path) for path in real_files())
    assert abs((second.begin - first.end).total_seconds()) < 1e-4
    before_name = datetime(2016, 2, 18, 8, 15, tzinfo=UTC) - first.begin
    assert timedelta(seconds=0.37) < before_name < timedelta(seconds=0.66)


def real_records(name: str) -> list[Record]:
    """Return records without sound that bear the real clocks of 2018."""
    times = np.load(ACO / "record_times_2018.npz")
    smooth, precise = (
        np.rint((times[f"{name}_{kind}"] - MATLAB_1970) * 86_400e6).astype(np.int64)
        for kind in ("Date_num", "Date_num_count")
    )
    records = []
    for k, (smooth_us, precise_us) in enumerate(
        zip(smooth.tolist(), precise.tolist(), strict=True)
    ):
        head = np.zeros(1, OLD)
        head["tSec"], head["tuSec"] = divmod(smooth_us, 1_000_000)
        samples = np.zeros(RECORD_SAMPLES, np.int32)
        records.append(
            Record(
                k, from_us(precise_us), 16, samples, head.tobytes(), "old", 0, k * RECORD_SAMPLES
            )
        )
    return records


def test_the_jump_of_2018_is_repaired_and_nothing_else_is_touched() -> None:
    records = real_records(GLITCH)
    repaired = list(ClockRepair().push(records))
    moved = [
        k for k, (a, b) in enumerate(zip(records, repaired, strict=True)) if a.begin != b.begin
    ]
    assert moved == list(range(1431, 1468))
    steps_us = np.diff([to_us(record.begin) for record in repaired])
    assert np.abs(steps_us - 170_666).max() < 1_000


@pytest.mark.parametrize("name", ["181028-133500", "181028-170000", "181028-170500"])
def test_clocks_without_a_jump_are_left_alone(name: str) -> None:
    records = real_records(name)
    assert [r.begin for r in ClockRepair().push(records)] == [r.begin for r in records]


def test_a_damaged_copy_of_a_real_file_loses_only_the_damage(tmp_path: Path) -> None:
    content = bytearray(real_files()[0].read_bytes()[:3_000_000])
    whole = acoio.read_chunk(_written(tmp_path, content), rate_hz=24_000.0).records
    at = whole[100].byte
    content[at : at + 20] = b"\xa5" * 20
    found = acoio.read_chunk(_written(tmp_path, content), rate_hz=24_000.0)
    kept = [r.number for r in found.records]
    assert kept == [r.number for k, r in enumerate(whole) if k != 100]
    assert [(d.byte, d.length_bytes) for d in found.damages] == [(at, whole[101].byte - at)]


def test_four_seconds_from_the_middle_of_a_real_file_are_what_the_whole_has_there() -> None:
    path = real_files()[0]
    whole = acoio.read(path)
    middle = len(whole.samples) // 2
    span = read_span(path, middle, middle + 96_000)
    np.testing.assert_array_equal(span.samples, whole.samples[middle : middle + 96_000])
    assert abs(span.begin - whole.time_of(middle)) <= timedelta(microseconds=1)


def test_real_files_have_nothing_to_report_but_the_known_error_of_their_clock() -> None:
    for path, records in zip(real_files(), (1758, 1054), strict=True):
        report = examine(path)
        assert (report.records, report.layout, report.faults) == (records, "old", ())
        assert [bits for bits, _ in report.bits] == [15, 16, 17]
        assert report.clock_error_s == -1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_real_sound_is_the_same_in_every_layout(tmp_path: Path, layout: str) -> None:
    records = acoio.read_chunk(real_files()[0], rate_hz=24_000.0, limit=40).records
    samples = np.concatenate([record.samples for record in records])
    times = [to_us(record.begin) for record in records]
    content = encode_records(samples, begins_us=times, first_number=0, layout=layout)
    again = chunk_of(content, rate_hz=24_000.0).records
    assert {record.layout for record in again} == {layout}
    assert [record.begin for record in again] == [record.begin for record in records]
    np.testing.assert_array_equal(np.concatenate([r.samples for r in again]), samples)


def _written(folder: Path, content: bytearray) -> Path:
    path = folder / "2016-02-18--08.15.HYD24BBpk"
    path.write_bytes(content)
    return path
