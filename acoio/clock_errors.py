"""Known errors of the recorder's clock: whole seconds, by spans of the header's own time.

The table is data: `clock_errors.csv` beside this file, or any file of its form.
Records bear the header's time as it stands; a table is applied where a person
asks for it, and to a file as a whole, so that no file is torn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from acoio.errors import DataError, SetupError
from acoio.tables import Row, check_unsplit, number, read_table, utc

_SINCE, _UNTIL, _ERROR, _SOURCE = "since_utc", "until_utc", "error_s", "source"
_INTO_A_FILE: Final = timedelta(seconds=30)
"""A file begins up to 0.66 s before the minute of its name, where errors change."""


@dataclass(frozen=True, slots=True)
class ClockError:
    """From `since` until before `until`, by the header, its clock says `error_s` too much.

    None stands for ever; a naive time is UTC.
    """

    since: datetime | None
    until: datetime | None
    error_s: float
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            if (when := getattr(self, name)) is not None:
                object.__setattr__(self, name, _aware(when))

    def holds(self, when: datetime) -> bool:
        """Say whether it holds at a time of the header's clock."""
        when = _aware(when)
        begun = self.since is None or self.since <= when
        return begun and (self.until is None or when < self.until)


@dataclass(frozen=True, slots=True)
class ClockErrors:
    """A table of clock errors; of two that hold at once, the later row is believed."""

    rows: tuple[ClockError, ...] = ()

    def error_s(self, when: datetime) -> float:
        """Return how much too much the header's clock says at a time, in seconds."""
        return next((row.error_s for row in reversed(self.rows) if row.holds(when)), 0.0)

    def correct(self, begin: datetime) -> datetime:
        """Return the true time of a time by the header; what no row knows stays."""
        return begin - timedelta(seconds=self.error_s(begin))

    def file_error_s(self, first: datetime) -> float:
        """Return the error of a whole file whose first record begins at `first`, in seconds."""
        return self.error_s(first + _INTO_A_FILE)

    def extended(self, rows: Iterable[ClockError]) -> ClockErrors:
        """Return this table with more rows, which are believed before those here."""
        return ClockErrors((*self.rows, *rows))


@lru_cache(maxsize=1)
def known_clock_errors() -> ClockErrors:
    """Return the errors that are known of the observatory's clock.

    Source: the clock notes of the observatory's readers, in docs/format.md.
    """
    with as_file(files("acoio").joinpath("clock_errors.csv")) as path:
        return read_clock_errors(path)


def read_clock_errors(path: str | Path) -> ClockErrors:
    """Return the table in a file with the columns since_utc, until_utc, error_s, maybe source.

    Raises
    ------
    NotReadyError
        If the file cannot be read.
    SetupError
        If it is no such table; it says which line.
    """
    try:
        rows = read_table(Path(path), (_SINCE, _UNTIL, _ERROR), _row, optional=(_SOURCE,))
    except DataError as error:
        raise SetupError(str(error)) from error
    return ClockErrors(tuple(rows))


def _row(row: Row) -> ClockError:
    since, until = (utc(row, name) if row[name].strip() else None for name in (_SINCE, _UNTIL))
    error_s = number(row, _ERROR)
    if not math.isfinite(error_s):
        raise ValueError(f"{_ERROR}: found {error_s}, wanted a number of seconds")
    if since and until and until <= since:
        raise ValueError(f"found {_UNTIL} {until}, wanted it after {_SINCE} {since}")
    check_unsplit(row, _SOURCE)
    return ClockError(since, until, error_s, row.get(_SOURCE, ""))


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)
