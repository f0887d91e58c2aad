"""Tables as other programs write and read them: any Unicode mark, comma, semicolon or tab.

Spreadsheets run a cell that begins as a formula does, so text that does is written behind an
apostrophe, which they show as text, and read back without it.
Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from acoio.errors import DataError, NotReadyError

Row = Mapping[str, str]
_T = TypeVar("_T")
_SEPARATORS: Final = (",", ";", "\t")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_UTF16: Final = (BOM_UTF16_LE, BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """Return a text file's content without its byte-order mark: UTF-8, or UTF-16 with a mark.

    Raises
    ------
    DataError
        If it is neither; it says which line.
    NotReadyError
        If it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    try:
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: found no UTF-8: {error.reason}; save it as UTF-8"
        ) from error


def read_table(path: Path, columns: Sequence[str], made: Callable[[Row], _T]) -> list[_T]:
    """Return what `made` gives of each line of a table that has at least some columns.

    Cells that a line lacks are empty; lines of empty cells are left out.

    Raises
    ------
    DataError
        If a column is missing, or a line has too many cells or none that `made` takes
        (`ValueError`); it says which line.
    NotReadyError
        If the table cannot be read.
    """
    text = read_text(path)
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        head = [name.strip() for name in next(lines, [])]
        if missing := [name for name in columns if name not in head]:
            wanted = f"wanted {', '.join(columns)}, parted by commas, semicolons or tabs"
            raise DataError(f"{path}: found no column {', '.join(missing)}, {wanted}")
        return [_made(cells, head, made, path, lines.line_num) for cells in lines if any(cells)]
    except csv.Error as error:
        raise DataError(f"{path}, line {lines.line_num}: found no CSV: {error}") from error


def _made(
    cells: Sequence[str], head: Sequence[str], made: Callable[[Row], _T], path: Path, line: int
) -> _T:
    where = f"{path}, line {line}"
    if any(cells[len(head) :]):
        raise DataError(
            f"{where}: found {len(cells)} cells, wanted {len(head)}; where numbers have decimal "
            "commas, part cells by semicolons"
        )
    padded = [*cells, *[""] * (len(head) - len(cells))]
    try:
        return made(dict(zip(head, map(_read, padded), strict=False)))
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error


def number(row: Row, name: str) -> float:
    """Return the number in a cell.

    Raises
    ------
    ValueError
        As `parse_number`, with the name of the column.
    """
    try:
        return parse_number(row[name])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def parse_number(cell: str) -> float:
    """Return the number that a cell holds, which may have a decimal comma.

    Raises
    ------
    ValueError
        If it is none, or the cell is empty.
    """
    text = cell.strip()
    try:
        return float(text if "." in text else text.replace(",", "."))
    except ValueError:
        found = repr(text) if text else "an empty cell"
        raise ValueError(f"found {found}, wanted a number, as 120.5") from None


def csv_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a table as CSV, with lines that end as RFC 4180 wants."""
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, columns, lineterminator="\r\n")
    lines.writeheader()
    for row in rows:
        lines.writerow({name: _written(value) for name, value in row.items()})
    return text.getvalue()


def _written(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _is_formula(value) else value


def _read(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    """Return whether a spreadsheet might run a text, apostrophes before it aside."""
    return text.lstrip("'").startswith(_FORMULA)
