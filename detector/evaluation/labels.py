"""Tables of labels: what somebody heard in recordings, and which clips hold which call."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from acoio.errors import DataError, NotReadyError
from acoio.simulate import Truth

BACKGROUND: Final = "background"
_SOUND_COLUMNS: Final = ("begin_utc", "end_utc", "low_hz", "high_hz", "label")
_CLIP_COLUMNS: Final = ("file", "label")
_Row = dict[str, str]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Label:
    """A stretch that somebody has looked at; `truth.label` is `BACKGROUND` where nothing is."""

    truth: Truth
    faint: bool


def read_labels(path: Path) -> list[Label]:
    """Return the labels of a CSV: begin_utc, end_utc, low_hz, high_hz, label and, maybe, note.

    A label is faint where its note says so.

    Raises
    ------
    NotReadyError
        If the file cannot be read.
    DataError
        If a column is missing or a value cannot be; it says which line.
    """
    return list(_rows(path, _SOUND_COLUMNS, _label))


def read_clip_labels(path: Path) -> list[tuple[str, str]]:
    """Return the files and labels of a CSV: file, label.

    Raises
    ------
    NotReadyError, DataError
        As `read_labels`.
    """
    return list(_rows(path, _CLIP_COLUMNS, _clip))


def _rows(path: Path, columns: tuple[str, ...], made: Callable[[_Row], _T]) -> Iterator[_T]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            missing = [name for name in columns if name not in (table.fieldnames or ())]
            if missing:
                wanted = f"wanted {', '.join(columns)}"
                raise DataError(f"{path}: found no column {', '.join(missing)}, {wanted}")
            for row in table:
                yield _made(row, made, f"{path}, line {table.line_num}")
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: found no CSV: {error}") from error


def _made(row: _Row, made: Callable[[_Row], _T], where: str) -> _T:
    try:
        return made(row)
    except (TypeError, ValueError, AttributeError) as error:  # a short row holds None
        raise DataError(f"{where}: {error}") from error


def _label(row: _Row) -> Label:
    begin, end = (_utc(row[name]) for name in ("begin_utc", "end_utc"))
    low_hz, high_hz = float(row["low_hz"]), float(row["high_hz"])
    if not begin < end:
        raise ValueError(f"found an end of {row['end_utc']}, wanted one after {row['begin_utc']}")
    if not 0 <= low_hz < high_hz < float("inf"):
        raise ValueError(f"found {row['low_hz']} to {row['high_hz']} Hz, wanted them rising from 0")
    label = _word(row["label"])
    truth = Truth(begin, end, low_hz, high_hz, label, float("nan"), "call")
    return Label(truth, "faint" in (row.get("note") or "").lower())


def _clip(row: _Row) -> tuple[str, str]:
    return _word(row["file"]), _word(row["label"])


def _word(cell: str) -> str:
    if not cell.strip():
        raise ValueError("found an empty cell, wanted a word")
    return cell.strip()


def _utc(cell: str) -> datetime:
    when = datetime.fromisoformat(cell)
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
