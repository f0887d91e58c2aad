"""The drop's laws: genuine files, continuous in time and sound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from acoio.clock import record_us, to_us
from acoio.errors import SetupError
from acoio.filename import parse_filename
from acoio.reader import read_chunk
from acoio.record import Record
from acoio.simulate import Ocean, read_truth, simulate_drop

BEGIN = datetime(2024, 3, 1, 6, 0, tzinfo=UTC)


def _records(path: Path) -> list[Record]:
    return list(read_chunk(path, rate_hz=24_000.0, limit=2000).records)


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Record]]:
    """The records of each file of a drop of 11 minutes, by the file's name."""
    folder = tmp_path_factory.mktemp("drop")
    return {path.name: _records(path) for path in simulate_drop(folder, seed=4, minutes=11)}


def test_files_are_named_by_their_minute(drop: dict[str, list[Record]]) -> None:
    stamps = ["06.00", "06.05", "06.10"]
    assert list(drop) == [f"2024-03-01--{stamp}.HYD24BBpk" for stamp in stamps]


def test_records_follow_one_another_over_file_borders(drop: dict[str, list[Record]]) -> None:
    records = [record for part in drop.values() for record in part]
    assert [r.number for r in records] == list(range(len(records)))
    elapsed_us = np.array([to_us(r.begin) for r in records]) - to_us(records[0].begin)
    np.testing.assert_allclose(elapsed_us, np.arange(len(records)) * record_us(), atol=1.0)


def test_a_file_holds_1757_or_1758_records_and_the_last_what_is_left(
    drop: dict[str, list[Record]],
) -> None:
    *full, last = (len(part) for part in drop.values())
    assert set(full) <= {1757, 1758}
    assert last == pytest.approx(60e6 / record_us(), abs=1.0)


def test_a_file_begins_before_the_minute_in_its_name(drop: dict[str, list[Record]]) -> None:
    for name, records in drop.items():
        early = parse_filename(name).begin - records[0].begin
        assert timedelta(seconds=0.37) <= early <= timedelta(seconds=0.66)


def test_a_day_of_files_would_keep_to_the_real_lead_and_length() -> None:
    first = np.ceil(np.arange(289) * 300e6 / record_us())
    assert set(np.diff(first)) == {1757.0, 1758.0}
    lead_us = 620_000 + np.arange(289) * 300e6 - first * record_us()
    assert lead_us.min() > 370_000
    assert lead_us.max() < 660_000


def test_the_files_hold_the_ocean_itself(drop: dict[str, list[Record]]) -> None:
    parts = list(drop.values())
    ocean = Ocean(4, parts[0][0].begin)
    seam = len(parts[0])
    found = np.concatenate([r.samples for r in [*parts[0][-3:], *parts[1][:3]]])
    np.testing.assert_array_equal(found, ocean.piece(seam - 3, 6))


@pytest.mark.parametrize("layout", ["old", "new"])
def test_a_drop_comes_in_either_layout_with_its_truth(tmp_path: Path, layout: str) -> None:
    (path,) = simulate_drop(tmp_path / "in", seed=1, minutes=0.5, layout=layout)
    assert {r.layout for r in _records(path)} == {layout}
    end = BEGIN + timedelta(seconds=30)
    assert all(t.begin < end for t in read_truth(tmp_path / "in" / "truth.csv"))
    assert {p.name for p in (tmp_path / "in").iterdir()} == {path.name, "truth.csv"}


def test_nothing_to_simulate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="minutes: found 0, wanted more than 0"):
        list(simulate_drop(tmp_path, seed=1, minutes=0))


def test_minutes_just_above_five_leave_no_empty_file(tmp_path: Path) -> None:
    files = list(simulate_drop(tmp_path, seed=1, minutes=5.0001))
    assert all(path.stat().st_size for path in files)
