"""Tables of labels: what somebody heard in recordings, and which clips hold which call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from acoio.simulate import Truth
from acoio.tables import Row, check_unsplit, number, read_table, utc

BACKGROUND: Final = "background"
_SOUND_COLUMNS: Final = ("begin_utc", "end_utc", "low_hz", "high_hz", "label")
_NOTE: Final = "note"
_CLIP_COLUMNS: Final = ("file", "label")


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
    return read_table(path, _SOUND_COLUMNS, _label, optional=(_NOTE,))


def read_clip_labels(path: Path) -> list[tuple[str, str]]:
    """Return the files and labels of a CSV: file, label.

    Raises
    ------
    NotReadyError, DataError
        As `read_labels`.
    """
    return read_table(path, _CLIP_COLUMNS, _clip)


def _label(row: Row) -> Label:
    begin, end = utc(row, "begin_utc"), utc(row, "end_utc")
    low_hz, high_hz = number(row, "low_hz"), number(row, "high_hz")
    if not begin < end:
        raise ValueError(f"found an end of {row['end_utc']}, wanted one after {row['begin_utc']}")
    if not 0 <= low_hz < high_hz < float("inf"):
        raise ValueError(f"found {row['low_hz']} to {row['high_hz']} Hz, wanted them rising from 0")
    for name in ("label", _NOTE):
        check_unsplit(row, name)
    label = _word(row, "label")
    truth = Truth(begin, end, low_hz, high_hz, label, float("nan"), "call")
    return Label(truth, "faint" in row.get(_NOTE, "").lower())


def _clip(row: Row) -> tuple[str, str]:
    return _word(row, "file"), _word(row, "label")


def _word(row: Row, name: str) -> str:
    cell = row[name].strip()
    if not cell:
        raise ValueError(f"{name}: found an empty cell, wanted a word")
    return cell
