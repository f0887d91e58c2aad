"""Known errors of the recorder's clock: whole seconds, by spans of the header's own time.

The table is data: `clock_errors.csv` beside this file, or any file of its form.
Records bear the header's time as it stands; a table is applied where a person
asks for it, and to a file as a whole, so that no file is torn.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError, SetupError

_COLUMNS: Final = ("since_utc", "until_utc", "error_s", "source")
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
    text = files("acoio").joinpath("clock_errors.csv").read_text(encoding="utf-8")
    return _table(text, "clock_errors.csv")


def read_clock_errors(path: str | Path) -> ClockErrors:
    """Return the table in a CSV file with the columns since_utc, until_utc, error_s, source.

    Raises
    ------
    NotReadyError
        If the file cannot be read.
    SetupError
        If it is no such table.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SetupError(f"{path}: found no UTF-8 text: {error.reason}") from error
    return _table(text, str(path))


def _table(text: str, where: str) -> ClockErrors:
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in _COLUMNS[:3] if name not in (reader.fieldnames or ())]
    if missing:
        raise SetupError(f"{where}: found no column {', '.join(missing)}")
    return ClockErrors(tuple(_row(row, f"{where}, line {reader.line_num}") for row in reader))


def _row(row: Mapping[str, str | None], where: str) -> ClockError:
    try:
        since, until = (_time(row[name] or "") for name in _COLUMNS[:2])
        error_s = float(row["error_s"] or "")
    except ValueError as error:
        raise SetupError(f"{where}: {error}") from None
    if not math.isfinite(error_s):
        raise SetupError(f"{where}: found an error of {error_s} s, wanted a number")
    if since and until and until <= since:
        raise SetupError(f"{where}: found until_utc {until} not after since_utc {since}")
    return ClockError(since, until, error_s, row.get("source") or "")


def _time(text: str) -> datetime | None:
    if not text.strip():
        return None
    return _aware(datetime.fromisoformat(text.strip()))


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)
