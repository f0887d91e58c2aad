"""Marks lie where Raven and Audacity see them: over the WAVs of the recordings, end to end."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

import acoio
from acoio.clock import from_us, to_us
from acoio.errors import DataError
from acoio.filename import FileName
from acoio.writer import encode_records, record_begins_us
from daemon.drop.advance import with_sound
from daemon.events.export import export, recordings
from daemon.events.find import listed
from daemon.ledger.stored import stored_files
from daemon.progress import FileProgress
from detector.scoring.listen import Run
from tests.daemon.bench import bench_on

BEGIN = datetime(2023, 12, 31, 23, 54, 59, 400_000, tzinfo=UTC)
RECORD_US = 4096 / 24_000.127 * 1e6
"""By hand: what a record lasts at the rate that was measured."""

CUTS = (0, 352, 703, 1055, 1406, 1446, 1700, 1750, 2461, 2812, 3300)
"""Where files end, in records: minutes, one of 7 s, one of 43 s, one of 9 s and longer ones."""

MISSING = 2461  # the file that begins with this record never came
LACKING = range(1800, 1860)  # 10 s within the file from 1750 on, which was not recorded

LOUD = ((690, 15), (1000, 20), (1380, 75), (1640, 90), (2300, 20), (2445, 40), (3270, 20))
"""First record of each call and how many it lasts: over one border, over two, behind a gap."""


@dataclass(frozen=True)
class Wav:
    """A file as a program sees it: from which record on, and how many frames it has."""

    name: str
    first: int
    frames: int


def _samples(first: int, last: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return noise, the same for the same records, that is loud where something calls."""
    rng = np.random.default_rng(first)
    loudness = np.full(last - first, 200.0)
    for begin, count in LOUD:
        loudness[max(begin - first, 0) : max(begin + count - first, 0)] *= 20
    noise = rng.normal(size=(last - first, 4096)) * loudness[:, None]
    return np.asarray(np.rint(noise), np.int32)


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drop")
    for k, (first, last) in enumerate(pairwise(CUTS)):
        if first == MISSING:
            continue
        kept = np.array([record for record in range(first, last) if record not in LACKING])
        begins_us = record_begins_us(BEGIN, 0, last)[kept]
        minute = from_us(60_000_000 * (to_us(BEGIN) // 60_000_000 + 1 + k))
        (folder / str(FileName(minute))).write_bytes(
            b"".join(
                encode_records(
                    _samples(first, last)[kept - first][part].reshape(-1),
                    begins_us=begins_us[part],
                    first_number=int(kept[part][0]),
                )
                for part in _runs(kept)
            )
        )
    return folder


def _runs(kept: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[slice]:
    edges = [0, *(np.flatnonzero(np.diff(kept) > 1) + 1).tolist(), len(kept)]
    yield from (slice(*pair) for pair in pairwise(edges))


@pytest.fixture(scope="module")
def store(drop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    with bench_on(drop, folder) as bench:
        bench.work()
        bench.pipeline.finish()
    return folder


@pytest.fixture(scope="module")
def wavs(drop: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Wav]:
    """The recordings as somebody opens them in Raven, each measured by another library."""
    folder, found = tmp_path_factory.mktemp("wavs"), []
    for k, path in enumerate(sorted(drop.iterdir())):
        wav = folder / f"{k}.wav"
        acoio.read(path).save(wav)
        info = soundfile.info(wav)
        assert info.samplerate == 24_000
        first = [first for first in CUTS[:-1] if first != MISSING][k]
        found.append(Wav(path.name, first, info.frames))
    return found


def _record(text: str) -> int:
    """Return which record begins at a time."""
    return round((to_us(datetime.fromisoformat(text)) - to_us(BEGIN)) / RECORD_US)


def _wanted(events: Sequence[Any], wavs: Sequence[Wav]) -> list[tuple[float, float, str, float]]:
    """Return begin and end over the list, the file and the offset in it, by counting samples."""
    spans = [(_record(event["begin"]), _record(event["end"])) for event in events]
    opened = [
        wav
        for wav in wavs
        if any(a < wav.first + wav.frames / 4096 and wav.first < b for a, b in spans)
    ]
    starts = [sum(wav.frames for wav in opened[:k]) for k in range(len(opened))]
    wanted = []
    for begin, end in spans:
        k = max(k for k, wav in enumerate(opened) if wav.first <= begin)
        m = max(k for k, wav in enumerate(opened) if wav.first < end)
        offset = (begin - opened[k].first) * 4096
        last = min((end - opened[m].first) * 4096, opened[m].frames)
        wanted.append(
            (
                (starts[k] + offset) / 24_000,
                (starts[m] + last) / 24_000,
                opened[k].name,
                offset / 24_000,
            )
        )
    return wanted


def test_calls_cross_borders_a_gap_and_the_new_year(store: Path, wavs: list[Wav]) -> None:
    spans = [(_record(event["begin"]), _record(event["end"])) for event in listed(store)]
    crossed = [sum(a < cut < b for cut in CUTS) for a, b in spans]
    assert max(crossed) == 2, spans
    assert crossed.count(1) >= 2
    assert any(LACKING.stop <= a < MISSING for a, _ in spans)  # behind the gap, in the same file
    assert any(a >= 2812 for a, _ in spans)  # behind the file that is missing
    assert len({event["begin"][:4] for event in listed(store)}) == 2
    assert wavs[7].frames == (2461 - 1750) * 4096  # the gap is silence there


def test_ravens_marks_are_where_the_samples_are(
    store: Path, wavs: list[Wav], tmp_path: Path
) -> None:
    events = listed(store)
    (tmp_path / "table.txt").write_bytes(export("raven", events, store))
    with (tmp_path / "table.txt").open() as text:
        rows = list(csv.DictReader(text, delimiter="\t"))
    for row, wanted in zip(rows, _wanted(events, wavs), strict=True):
        begin_s, end_s, file, offset_s = wanted
        assert float(row["Begin Time (s)"]) == pytest.approx(begin_s, abs=5e-6)
        assert float(row["End Time (s)"]) == pytest.approx(end_s, abs=5e-6)
        assert row["Begin File"] == file
        assert float(row["File Offset (s)"]) == pytest.approx(offset_s, abs=5e-6)


def test_audacitys_marks_are_where_the_samples_are(
    store: Path, wavs: list[Wav], tmp_path: Path
) -> None:
    events = listed(store)
    (tmp_path / "labels.txt").write_bytes(export("audacity", events, store))
    lines = [x.split("\t") for x in (tmp_path / "labels.txt").read_text().splitlines()]
    found = [(float(a), float(b)) for a, b, _ in lines if a != "\\"]
    wanted = [pytest.approx(times[:2], abs=5e-6) for times in _wanted(events, wavs)]
    assert found == wanted


@pytest.mark.parametrize("form", ["raven", "audacity"])
def test_marks_come_back_at_their_times(store: Path, drop: Path, tmp_path: Path, form: str) -> None:
    events = listed(store)
    (tmp_path / "out").write_bytes(export(form, events, store))
    read = acoio.read_raven if form == "raven" else acoio.read_audacity
    opened = {span.name for span in recordings(events, stored_files(store))}
    files = [acoio.read(path) for path in sorted(drop.iterdir()) if path.name in opened]
    for mark, event in zip(read(tmp_path / "out", files), events, strict=True):
        for found, said in ((mark.begin, event["begin"]), (mark.end, event["end"])):
            assert abs((found - datetime.fromisoformat(said)).total_seconds()) < 1e-4


def test_tables_of_times_hold_the_times_as_they_are(store: Path, tmp_path: Path) -> None:
    events = listed(store)
    for form in ("csv", "json"):
        (tmp_path / form).write_bytes(export(form, events, store))
    with (tmp_path / "csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    for row, event in zip(rows, events, strict=True):
        assert [row[name] for name in ("begin", "peak", "end", "file")] == [
            event[name] for name in ("begin", "peak", "end", "file")
        ]
    assert json.loads((tmp_path / "json").read_text()) == events


def test_a_clock_that_goes_back_shortens_no_recording() -> None:
    def run(second: float) -> Run:
        begin = BEGIN + timedelta(seconds=second)
        return Run(begin, begin + timedelta(seconds=10), 240_001)

    file = with_sound(FileProgress("a"), [run(0), run(10), run(5), run(15)], 24_000.0)
    assert (file.begin_us, file.end_us) == (to_us(BEGIN), to_us(BEGIN) + 40_000_000)
    assert file.span_samples == 4 * 240_001


def test_a_store_that_does_not_know_a_recording_makes_up_no_length(store: Path) -> None:
    events = listed(store)
    files = [file for file in stored_files(store) if file["name"] != events[0]["file"]]
    with pytest.raises(DataError, match=f"in {events[0]['file']}, of which the store holds no len"):
        recordings(events, files)


def test_a_recording_read_before_the_ledger_knew_its_times_is_as_long_as_was_read(
    store: Path, wavs: list[Wav]
) -> None:
    events = [event for event in listed(store) if event["file"] == wavs[1].name]
    older = [
        {**file, "begin_us": 0, "end_us": 0, "span_samples": 0} for file in stored_files(store)
    ]
    (span,) = recordings(events, older)
    assert (span.name, span.samples) == (wavs[1].name, wavs[1].frames)
