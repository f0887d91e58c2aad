"""The recorder's known errors are a table that a user can extend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoio.clock_errors import ClockError, ClockErrors, known_clock_errors, read_clock_errors
from acoio.errors import NotReadyError, SetupError

HEADING = "since_utc,until_utc,error_s,source\n"


@pytest.mark.parametrize(
    ("when", "error_s"),
    [
        ("2012-01-01T00:00", -1),
        ("2018-06-20T23:24:59", -1),
        ("2018-06-20T23:25", 2),
        ("2018-08-31T00:00", 4),
        ("2018-10-28T00:59:59", 4),
        ("2018-10-28T01:00", 5),
        ("2018-10-29T12:00", 6),
        ("2018-11-10T00:59", 7),
        ("2018-11-10T01:00", 0),
        ("2024-03-01T06:00", 0),
    ],
)
def test_the_known_errors_are_those_of_the_format_notes(when: str, error_s: float) -> None:
    time = datetime.fromisoformat(when).replace(tzinfo=UTC)
    table = known_clock_errors()
    assert table.error_s(time) == error_s
    assert table.correct(time) == time - timedelta(seconds=error_s)
    assert table.error_s(time.replace(tzinfo=None)) == error_s


def test_a_file_that_begins_just_before_its_minute_has_one_error() -> None:
    first = datetime(2018, 10, 28, 0, 59, 59, 400_000, tzinfo=UTC)
    assert known_clock_errors().file_error_s(first) == 5


def test_rows_of_a_user_are_believed_before_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(HEADING + "2019-01-01,2019-02-01T00:00:00Z,-0.5,my note\n,,9,\n")
    mine = read_clock_errors(path)
    assert mine.rows[0] == ClockError(
        datetime(2019, 1, 1, tzinfo=UTC), datetime(2019, 2, 1, tzinfo=UTC), -0.5, "my note"
    )
    january = ClockErrors(mine.rows[:1])
    both = known_clock_errors().extended(january.rows)
    assert both.error_s(datetime(2019, 1, 15, tzinfo=UTC)) == -0.5
    assert both.error_s(datetime(2018, 10, 28, 2, tzinfo=UTC)) == 5
    assert mine.error_s(datetime(2019, 1, 15, tzinfo=UTC)) == 9


@given(st.integers(1_300_000_000, 1_900_000_000))
def test_an_empty_table_corrects_nothing(second: int) -> None:
    when = datetime.fromtimestamp(second, UTC)
    assert ClockErrors().correct(when) == when


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("since,until,error\n", "found no column since_utc, until_utc, error_s"),
        (HEADING + "yesterday,,1,\n", "line 2: since_utc: found 'yesterday', wanted a time"),
        (HEADING + ",,much,\n", "line 2: error_s: found 'much', wanted a number"),
        (HEADING + "2018-01-01,2019-01-01,1,5\n", "line 2: source: found '1,5', one number"),
        (HEADING + ",,1,5,note\n", "line 2: found 5 cells, wanted 4; .*semicolons"),
        (HEADING + "\n2018-01-01,\n", "line 3: found 2 cells, wanted 3 at least, up to error_s"),
        (HEADING + "15.01.2019,,1,\n", "line 2: since_utc: found '15.01.2019', wanted a time"),
        (HEADING + ",,nan,\n", "line 2: error_s: found nan, wanted"),
        (
            HEADING + "2019-01-02,2019-01-01,1,\n",
            "line 2: found until_utc .*, wanted it after",
        ),
    ],
)
def test_a_wrong_table_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(SetupError, match=message):
        read_clock_errors(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "table.csv"
    text = "sep=;\nSince_UTC;until_utc;error_s;source\n;2018-06-20;-1,5;é\n2018-06-20;;1,5\n"
    path.write_text(text, encoding)
    day = datetime(2018, 6, 20, tzinfo=UTC)
    rows = read_clock_errors(path).rows
    assert rows == (ClockError(None, day, -1.5, "é"), ClockError(day, None, 1.5))


def test_a_table_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        read_clock_errors(tmp_path / "none.csv")


def test_a_naive_time_in_a_row_is_utc() -> None:
    row = ClockError(datetime(2019, 1, 1), None, 3.0)  # noqa: DTZ001
    assert row == ClockError(datetime(2019, 1, 1, tzinfo=UTC), None, 3.0)
    table = known_clock_errors().extended([row])
    for when in (datetime(2019, 2, 1), datetime(2019, 2, 1, tzinfo=UTC)):  # noqa: DTZ001
        assert table.error_s(when) == 3
        assert row.holds(when)
