"""Text and tables as other programs write them: any Unicode mark, separator and line's end."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_LE
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from acoio.cells import Row, check_unsplit, count, guarded, number, parse_number, unguarded, utc
from acoio.errors import DataError, NotReadyError

__all__ = [
    "Row",
    "check_unsplit",
    "count",
    "csv_table",
    "decoded",
    "number",
    "parse_number",
    "read_lines",
    "read_table",
    "read_text",
    "utc",
]

_T = TypeVar("_T")
_SEPARATORS: Final = (",", ";", "\t")
_SEPARATOR_LINE: Final = re.compile(r"\s*\"?sep=[,;\t]?\"?\s*", re.IGNORECASE)
"""What Excel writes and wants as a first line; the header tells the separator by itself."""

_LONGEST: Final = csv.field_size_limit()  # characters of a header that are looked at
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
        return decoded(content)
    except ValueError as error:
        raise DataError(f"{path}, {error}") from error


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file without their ends, which are LF, CR LF or CR.

    Raises
    ------
    DataError, NotReadyError
        As `read_text`.
    """
    return _lines(read_text(path))


def decoded(content: bytes) -> str:
    """Return the text of a file's content, as `read_text`.

    Raises
    ------
    ValueError
        If it is neither UTF-8 nor UTF-16 with a mark; it says which line.
    """
    if b"\0" in content[:2] or content.startswith(BOM_UTF32_LE):
        found = "UTF-16 without a byte-order mark, or UTF-32"
        raise ValueError(f"line 1: found {found}; save it as UTF-8")
    encoding = "utf-16" if content.startswith(_UTF16) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(_lines(content[: error.start].decode(encoding, "ignore")))
        raise ValueError(
            f"line {line}: found no UTF-8: {error.reason}; save it as UTF-8"
        ) from error


def read_table(
    path: Path,
    columns: Sequence[str],
    made: Callable[[Row], _T],
    *,
    known: Sequence[str] = (),
    optional: Sequence[str] = (),
    apostrophes: bool = True,
) -> list[_T]:
    """Return what `made` gives of each line of a table.

    A header must have `columns`, and may have `known` and `optional` ones and others; names are
    compared without case.  A line must have a cell for each of `columns` and `known`.  Those
    after them it may leave out, as spreadsheets do with cells that are empty to the end.
    Source: Microsoft, KB 77295.  Lines of empty cells are left out.  `apostrophes` before what a
    spreadsheet might run are left out too, as `csv_table` writes them.

    Raises
    ------
    DataError
        If a column is missing or there twice, or a line has too many cells, too few or none
        that `made` takes (`ValueError`); it says which line.
    NotReadyError
        If the table cannot be read.
    """
    content = read_text(path)
    separator = _separator(content, (*columns, *known, *optional))
    rows = _rows(content, separator, path)
    line, names = next(rows, (1, []))
    head = _head(names, (*columns, *known, *optional))
    if missing := [name for name in columns if name not in head]:
        wanted = f"wanted {', '.join(columns)}, parted by commas, semicolons or tabs"
        raise DataError(f"{path}, line {line}: found no column {', '.join(missing)}, {wanted}")
    if twice := next((name for name, n in Counter(head).items() if name and n > 1), None):
        raise DataError(
            f"{path}, line {line}: found two columns {twice}, wanted one; rename or remove one"
        )
    least = 1 + max(head.index(name) for name in (*columns, *known) if name in head)
    found = []
    for line, cells in rows:
        try:
            _check(cells, head, least)
            read = map(unguarded, cells) if apostrophes else cells
            found.append(made(Row.of(head, [*read], separator)))
        except ValueError as error:
            raise DataError(f"{path}, line {line}: {error}") from error
    return found


def csv_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a table as CSV, with lines that end as RFC 4180 wants."""
    table = io.StringIO(newline="")
    lines = csv.DictWriter(table, columns, lineterminator="\r\n")
    lines.writeheader()
    for row in rows:
        lines.writerow({name: guarded(value) for name, value in row.items()})
    return table.getvalue()


def _lines(content: str) -> list[str]:
    return content.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _separator(content: str, wanted: Sequence[str]) -> str:
    """Return by which separator the first line that holds a header has most of its names."""
    lines = (line for line in io.StringIO(content, newline="") if line.strip(" ,;\t\r\n"))
    first = next((line for line in lines if not _SEPARATOR_LINE.fullmatch(line)), "")

    def names(separator: str) -> int:
        cells = next(csv.reader([first[:_LONGEST]], delimiter=separator), [])
        return len({*_head(cells, wanted)} & {*wanted})

    return max(_SEPARATORS, key=names)


def _rows(content: str, separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that hold anything, header first, each with the number of its first line."""
    lines = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    begun, first = 1, True
    try:
        for cells in lines:
            if any(map(str.strip, cells)):
                if not (first and _SEPARATOR_LINE.fullmatch(separator.join(cells))):
                    yield begun, cells
                first = False
            begun = lines.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, line {begun}: found no CSV: {error}; part cells by commas, semicolons or "
            "tabs, and in one that begins with a quote write each quote twice"
        ) from error


def _head(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return the names of a header, those that are wanted but for their case as they should be."""
    as_wanted = {name.casefold(): name for name in wanted}
    return [as_wanted.get(name.strip().casefold(), name.strip()) for name in names]


def _check(cells: Sequence[str], head: Sequence[str], least: int) -> None:
    if any(cells[len(head) :]):
        raise ValueError(
            f"found {len(cells)} cells, wanted {len(head)}; where numbers have decimal commas, "
            "part cells by semicolons; where lines begin with their own numbers, name that column"
        )
    if len(cells) < least:
        raise ValueError(
            f"found {len(cells)} cells, wanted {least} at least, up to {head[least - 1]}; "
            "write empty cells with their separators too"
        )
