"""The score of every window can be had for ever: the ledger's, then the files'."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from acoio.clock import to_us
from acoio.errors import SetupError
from daemon.evidence.score_days import KEPT_DAYS, ScoreDays
from daemon.evidence.worker import Place, results
from daemon.ledger.evidence_tables import US_A_DAY
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.ledger.stored import reading
from daemon.progress import Step
from daemon.scores import Scores, load
from detector.values import Score

_BEGIN = datetime(2018, 10, 28, 23, 59, tzinfo=UTC)
_DAY = to_us(_BEGIN) // US_A_DAY
_SECOND = timedelta(seconds=1)


def _score(begin: datetime, score: float = 1.5) -> Score:
    bands = np.zeros(4, np.float32)
    return Score(begin, begin + 2 * _SECOND, score, 2.0, bands, bands, bands, "a", 0)


def _commit(ledger: Ledger, scores: Sequence[Score], model: str = "m") -> None:
    ledger.commit(Step(0, scores=tuple(scores)), model)


def _written(store: Path, days: ScoreDays, *, patient: bool = False) -> list[int]:
    """Write the days that are due, and return them."""
    due = days.due(patient=patient)
    place = Place(store, store, "aco", 24_000.0, 5.0)
    for day, result in zip(
        due, results([{"kind": "day", "day": d} for d in due], place), strict=True
    ):
        assert result["outcome"] == "made"
        days.written(day, result["rows"])
    return due


def _all(store: Path) -> Scores:
    return load(store, _BEGIN - timedelta(days=100), _BEGIN + timedelta(days=100))


def _rows(store: Path) -> int:
    with reading(store) as database:
        (count,) = database.execute("SELECT count(*) FROM scores").fetchone()
        return int(count)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as found:
        yield found


def test_a_day_is_written_once_sound_of_the_next_is_heard(tmp_path: Path, ledger: Ledger) -> None:
    days = ScoreDays(ledger)
    _commit(ledger, [_score(_BEGIN + k * _SECOND, k) for k in range(50)])
    assert _written(tmp_path, days) == []
    _commit(ledger, [_score(_BEGIN + k * _SECOND, k) for k in range(50, 100)])
    assert _written(tmp_path, days) == [_DAY]
    assert _written(tmp_path, days) == []
    table = pq.read_table(tmp_path / "scores")
    assert table.column_names == ["begin", "end", "score", "threshold", "model", "day"]
    assert str(table.schema.field("begin").type) == "timestamp[us, tz=UTC]"
    assert table["score"].to_pylist() == list(range(60))
    assert {str(day) for day in table["day"].to_pylist()} == {"2018-10-28"}
    found = _all(tmp_path)
    assert found.score.tolist() == list(range(100))
    assert found.begin[0] == np.datetime64("2018-10-28T23:59:00")
    assert set(found.end - found.begin) == {np.timedelta64(2, "s")}


def test_a_day_that_still_grows_is_left_until_it_rests(tmp_path: Path, ledger: Ledger) -> None:
    days = ScoreDays(ledger)
    _commit(ledger, [_score(_BEGIN + timedelta(days=2))])
    for k in range(3):
        _commit(ledger, [_score(_BEGIN + k * _SECOND)])
        assert _written(tmp_path, days, patient=True) == []
    assert _written(tmp_path, days, patient=True) == [_DAY]


def test_late_sound_is_added_to_its_day(tmp_path: Path, ledger: Ledger) -> None:
    days = ScoreDays(ledger)
    _commit(ledger, [_score(_BEGIN), _score(_BEGIN + timedelta(days=1))])
    assert _written(tmp_path, days) == [_DAY]
    _commit(ledger, [_score(_BEGIN - _SECOND, 7.0)])
    _commit(ledger, [_score(_BEGIN, 8.0)], model="l")
    assert _written(tmp_path, days) == [_DAY]
    found = _all(tmp_path)
    assert found.score.tolist() == [7.0, 8.0, 1.5, 1.5]
    assert found.model.tolist() == ["m", "l", "m", "m"]


def test_rows_that_came_while_the_file_was_written_are_not_forgotten(
    tmp_path: Path, ledger: Ledger
) -> None:
    days = ScoreDays(ledger)
    _commit(ledger, [_score(_BEGIN), _score(_BEGIN + timedelta(days=1))])
    days.written(_DAY, 0)
    assert days.due(patient=False) == [_DAY]


def test_old_rows_leave_the_ledger_only_for_a_file_and_late_sound_joins_them_there(
    tmp_path: Path, ledger: Ledger
) -> None:
    days, late = ScoreDays(ledger), timedelta(days=KEPT_DAYS + 2)
    _commit(ledger, [_score(_BEGIN + k * _SECOND, k) for k in range(3)])
    _commit(ledger, [_score(_BEGIN + late)])
    days.drop_old()
    assert _rows(tmp_path) == 4
    assert _written(tmp_path, days) == [_DAY]
    days.drop_old()
    assert _rows(tmp_path) == 1
    assert _all(tmp_path).score.tolist() == [0.0, 1.0, 2.0, 1.5]
    assert len(ledger.unscored([_score(_BEGIN + late)], "m")) == 0
    _commit(ledger, [_score(_BEGIN + k * _SECOND, k) for k in (0, 3)])  # heard again, and late
    assert _written(tmp_path, days) == [_DAY]
    days.drop_old()
    assert _rows(tmp_path) == 1
    assert _all(tmp_path).score.tolist() == [0.0, 1.0, 2.0, 3.0, 1.5]


def test_a_span_is_cut_to_its_windows(tmp_path: Path, ledger: Ledger) -> None:
    _commit(ledger, [_score(_BEGIN + k * _SECOND, k) for k in range(100)])
    _written(tmp_path, ScoreDays(ledger))
    begin = _BEGIN + 58 * _SECOND
    assert load(tmp_path, begin, begin + 5 * _SECOND).score.tolist() == [58, 59, 60, 61, 62]
    assert len(load(tmp_path, begin, begin)) == 0
    naive = load(tmp_path, begin.replace(tzinfo=None), _BEGIN + 60 * _SECOND)
    assert naive.score.tolist() == [58, 59]


def test_without_a_ledger_there_are_no_scores(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="found no such folder"):
        load(tmp_path / "none", _BEGIN, _BEGIN)


def test_the_daemon_itself_never_imports_what_draws_or_writes_tables() -> None:
    code = (
        "import sys, daemon.service.run, daemon.evidence.chore, daemon.scores, daemon.cli\n"
        "print([name for name in ('pyarrow', 'matplotlib') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stdout.strip() == b"[]"


def test_sound_that_is_dated_ahead_is_not_the_newest_and_drops_nothing(
    tmp_path: Path, ledger: Ledger
) -> None:
    """A recorder with a wrong clock named a file years ahead."""
    days, ahead = ScoreDays(ledger), datetime.now(UTC) + timedelta(days=1500)
    _commit(ledger, [_score(ahead)])
    assert ledger.newest_scored_us == to_us(ahead + 2 * _SECOND)  # it may be the clock
    _commit(ledger, [_score(_BEGIN), _score(_BEGIN + timedelta(days=1)), _score(ahead + _SECOND)])
    assert ledger.newest_scored_us == to_us(_BEGIN + timedelta(days=1) + 2 * _SECOND)
    assert _written(tmp_path, days) == [_DAY, to_us(ahead) // US_A_DAY]
    days.drop_old()
    assert _rows(tmp_path) == 4


def test_a_clock_that_is_decades_behind_stops_no_scores(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("daemon.ledger.newest", "daemon.evidence.score_days"):
        monkeypatch.setattr(f"{room}.credible_until", lambda: datetime(1970, 1, 2, tzinfo=UTC))
    days = ScoreDays(ledger)
    _commit(ledger, [_score(_BEGIN), _score(_BEGIN + timedelta(days=1))])
    assert _written(tmp_path, days) == [_DAY]
    _commit(ledger, [_score(_BEGIN + timedelta(days=4000))])
    assert _written(tmp_path, days) == [_DAY + 1]
    days.drop_old()
    assert _rows(tmp_path) == 3  # nobody knows what is old
