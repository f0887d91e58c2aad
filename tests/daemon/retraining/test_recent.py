"""The last days are those of the sound, but for what is dated ahead of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from acoio import ACOio
from acoio.filename import FileName
from daemon.config import load_config
from daemon.retraining.recent import OutOfSeasonError, last_days

_FILE = timedelta(minutes=5)
_NOW = datetime.now(UTC).replace(second=0, microsecond=0)


def _named(folder: Path, first: datetime, count: int) -> Path:
    """Name files of a recorder, which nobody reads before the last days are known."""
    paths = [folder / str(FileName(first + k * _FILE)) for k in range(count)]
    for path in paths:
        path.touch()
    return paths[-1]


@pytest.mark.parametrize("count", [3, 40])
def test_what_is_dated_ahead_is_not_the_newest_however_much_it_is(
    count: int, tmp_path: Path
) -> None:
    last = _named(tmp_path, _NOW - timedelta(days=20), 40)
    astray = _named(tmp_path, _NOW + timedelta(days=4000), count)
    config = load_config(None, [f"drop.path={tmp_path}"], {})
    told = next(last_days(ACOio(tmp_path), config))
    assert told == f"left out {count} files after {last.name}, up to {astray.name}"


def test_what_was_left_out_is_said_before_what_is_lacking(tmp_path: Path) -> None:
    _named(tmp_path, datetime(2024, 2, 1, tzinfo=UTC), 40)
    _named(tmp_path, datetime(2024, 6, 20, tzinfo=UTC), 3)
    lines = last_days(
        ACOio(tmp_path),
        load_config(None, [f"drop.path={tmp_path}", "retrain.since=2024-06-01"], {}),
    )
    assert next(lines).startswith("left out 3 files")
    with pytest.raises(OutOfSeasonError, match="since 2024-06-01"):
        next(lines)
