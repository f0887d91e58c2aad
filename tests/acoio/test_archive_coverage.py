"""What an archive holds, by its headers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from acoio.archive import ACOio
from acoio.clock import to_us
from acoio.errors import DataError

from .archives import BEGIN, MIDNIGHT, MINUTES, archive, content, file_records, put, whole

SECOND = timedelta(seconds=1)


def test_an_unbroken_archive_is_covered_without_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(tmp_path)
    monkeypatch.setattr("acoio.reader.unpack", lambda *_: pytest.fail("a sample was decoded"))
    cover = ACOio(tmp_path).coverage()
    assert cover.begin == BEGIN
    assert abs(to_us(cover.end) - to_us(whole().end)) <= 2
    assert (cover.gaps, cover.overlaps, cover.corrections, cover.strays) == ((), (), (), ())
    assert [file.path.name for file in cover.files] == [
        f"{minute:%Y-%m-%d--%H.%M}.HYD24BBpk" for minute in MINUTES
    ]
    assert {file.layout for file in cover.files} == {"new"}
    assert [file.bits for file in cover.files] == [
        ((10, b - a),) for a, b in map(file_records, range(4))
    ]
    assert cover.seconds == pytest.approx((whole().end - BEGIN).total_seconds(), abs=1e-5)


def test_gaps_are_those_of_load(tmp_path: Path) -> None:
    archive(tmp_path, without=[1])
    loader = ACOio(tmp_path)
    span = MINUTES[0], MINUTES[3]
    assert loader.coverage(*span).gaps == loader.load(MINUTES[0], MINUTES[3] - MINUTES[0]).gaps
    assert len(loader.coverage(*span).files) == 3


def test_overlaps_corrections_and_damage_are_told(tmp_path: Path) -> None:
    archive(tmp_path, without=[1, 2])
    first, last = file_records(1)
    put(tmp_path, ".", MINUTES[1], content(first - 40, last))
    first, last = file_records(2)
    data = content(first, last, glitch=range(first + 50, first + 87))
    put(tmp_path, ".", MINUTES[2], data[:-99])
    put(tmp_path, ".", MINUTES[2] + timedelta(minutes=5), b"")
    cover = ACOio(tmp_path).coverage()
    (overlap,) = cover.overlaps
    assert overlap.seconds == pytest.approx(40 * 0.1706657, abs=1e-4)
    assert overlap.kept.startswith("2024-02-29--23.58")
    (correction,) = cover.corrections
    assert correction.records == 37
    assert correction.seconds == pytest.approx(-0.3, abs=1e-3)
    assert [file.damaged_bytes for file in cover.files] == [0, 0, 36 + 5120 - 99, 0, 0]
    assert [file.fault for file in cover.files] == ["", "", "", "", "empty file"]
    (gap,) = cover.gaps
    assert gap.seconds == pytest.approx(0.1706657, abs=1e-5)


def test_records_of_another_time_than_the_name_are_set_aside(tmp_path: Path) -> None:
    archive(tmp_path)
    put(tmp_path, "{:%Y/%m/%d}", MIDNIGHT + timedelta(hours=9), content(0, 20))
    cover = ACOio(tmp_path).coverage()
    (stray,) = cover.strays
    assert (stray.records, stray.begin) == (20, BEGIN)
    assert cover.files[-1].fault == "a clock of another time"
    assert cover.gaps == ()


def test_the_sound_between_times_is_counted(tmp_path: Path) -> None:
    archive(tmp_path, without=[1])
    cover = ACOio(tmp_path).coverage(MINUTES[0], MINUTES[3])
    edges = [MINUTES[0] + k * 10 * SECOND for k in range(-3, 22)]
    counted = cover.seconds_in(edges)
    assert counted.sum() == pytest.approx(cover.seconds)
    assert np.allclose(counted[:3], 0)
    assert np.allclose(counted[3:8], 10)
    assert np.allclose(counted[9:14], 0)
    assert np.allclose(counted[-3:], 0)


def test_an_empty_folder_has_no_coverage(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no recording of the band BB"):
        ACOio(tmp_path).coverage()


def test_a_span_tells_only_of_its_files(tmp_path: Path) -> None:
    archive(tmp_path)
    put(tmp_path, ".", MINUTES[0] - timedelta(minutes=30), b"")
    loader = ACOio(tmp_path)
    assert len(loader.coverage().files) == 5
    assert len(loader.coverage(MINUTES[1] + SECOND, MINUTES[2] + SECOND).files) == 2
    naive = MINUTES[1].replace(tzinfo=None)
    assert loader.coverage(naive, naive + SECOND).gaps == ()
