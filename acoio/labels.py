"""Labels of pieces of sound ↔ the table that the labelling page saves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from acoio.annotations import Annotation
from acoio.clock import from_us, to_us
from acoio.errors import DataError
from acoio.output import write_output
from acoio.tables import Row, count, csv_table, read_table, utc

if TYPE_CHECKING:
    from acoio.sound import Sound

_COLUMNS: Final = ("begin_utc", "end_utc", "file", "sample", "label", "checked")
_NOTE: Final = "note"
COLUMNS: Final = (*_COLUMNS, _NOTE)
_CHECKED: Final = {"0": False, "1": True, "false": False, "true": True}  # spreadsheets, R, pandas


@dataclass(frozen=True, slots=True)
class Label:
    """A piece of sound that somebody looked at, and whether `label` is there.

    A naive time is UTC.
    """

    begin: datetime
    end: datetime
    file: str
    sample: int
    label: str
    checked: bool
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("begin", "end"):
            object.__setattr__(self, name, from_us(to_us(getattr(self, name))))

    @classmethod
    def of(cls, sound: Sound, label: str, *, checked: bool = True, note: str = "") -> Label:
        """Return the label of a whole sound."""
        return cls(sound.begin, sound.end, sound.file, sound.sample, label, checked, note)

    def annotation(self) -> Annotation:
        """Return it as an annotation without a band, for Raven or Audacity."""
        return Annotation(self.begin, self.end, label=self.label)


def read_labels(path: str | Path) -> tuple[Label, ...]:
    """Return the labels of a table that the page saved, all pieces, checked or not.

    Raises
    ------
    DataError
        If a column is missing or a value cannot be read; it says which line.
    NotReadyError
        If the table cannot be read.
    """
    return tuple(read_table(Path(path), _COLUMNS, _label, optional=(_NOTE,)))


def write_labels(path: str | Path, labels: Iterable[Label]) -> None:
    """Write labels as the table that the page saves: `read_labels` undone.

    Raises
    ------
    DataError
        If a text has no UTF-8, as a file's name that is not in it.
    NotReadyError
        If the table cannot be written.
    """
    path, table = Path(path), csv_table(COLUMNS, map(row_of, labels))
    try:
        content = table.encode()
    except UnicodeEncodeError as error:
        found = error.object[error.start : error.end]
        raise DataError(f"{path}: found {found!r} in a label, wanted UTF-8") from error
    write_output(path, content)


def row_of(label: Label) -> dict[str, Any]:
    """Return a line of the table."""
    return {
        "begin_utc": iso(label.begin),
        "end_utc": iso(label.end),
        "file": label.file,
        "sample": label.sample,
        "label": label.label,
        "checked": int(label.checked),
        "note": label.note,
    }


def _label(row: Row) -> Label:
    checked = _CHECKED.get(row["checked"].strip().lower())
    if checked is None:
        raise ValueError(f"checked: found {row['checked']!r}, wanted 0 or 1")
    return Label(
        begin=utc(row, "begin_utc"),
        end=utc(row, "end_utc"),
        file=row["file"],
        sample=count(row, "sample"),
        label=row["label"],
        checked=checked,
        note=row.get(_NOTE, ""),
    )


def iso(when: datetime) -> str:
    """Return a UTC time as text, to the microsecond, with a Z."""
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
