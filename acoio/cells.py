"""Cells of a table → numbers, times and text: what is unambiguous is read, the rest refused.

Spreadsheets run a cell that begins as a formula does, so text that does is written behind an
apostrophe, which they show as text, and read back without it.
Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self

from acoio.file_span import in_utc

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_POINTED: Final = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_WITH_COMMA: Final = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_UNITS: Final = re.compile(r"\s*[+-]?\d+", re.ASCII)
_DECIMALS: Final = re.compile(r"\d+\s*", re.ASCII)


class Row(dict[str, str]):
    """The cells of a line by their columns.

    `halves` are the columns whose cell may be the decimals of a number that a decimal comma
    has split, each with the digits of the cell before it.  `commas` says that there is a number
    with a decimal comma, beside which a point may part thousands.
    """

    halves: Mapping[str, str]
    commas: bool

    @classmethod
    def of(cls, head: Sequence[str], cells: Sequence[str], separator: str) -> Self:
        """Return the cells of a line; those that it lacks are empty."""
        row = cls(zip(head, [*cells, *[""] * (len(head) - len(cells))], strict=False))
        row.halves = {
            name: units.strip()
            for name, units, cell in zip(head[1:], cells, cells[1:], strict=False)
            if separator == "," and _UNITS.fullmatch(units) and _DECIMALS.fullmatch(cell)
        }
        row.commas = any(_WITH_COMMA.fullmatch(cell.strip()) for cell in cells)
        return row


def number(row: Row, name: str) -> float:
    """Return the number in a cell.

    Raises
    ------
    ValueError
        As `parse_number`, with the name of the column, or its point may part thousands.
    """
    cell = row[name].strip()
    if row.commas and _POINTED.fullmatch(cell):
        either = f"{cell.replace('.', '')} or {cell.replace('.', ',')}0"
        raise ValueError(f"{name}: found {cell!r}, thousands or decimals; write {either}")
    try:
        return parse_number(cell)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def count(row: Row, name: str) -> int:
    """Return the whole number in a cell.

    Raises
    ------
    ValueError
        If it is none.
    """
    found = number(row, name)
    if not found.is_integer():
        raise ValueError(f"{name}: found {row[name]!r}, wanted a whole number, as 120")
    return int(found)


def utc(row: Row, name: str) -> datetime:
    """Return the time in a cell, in UTC, as which a time without an offset is taken.

    Raises
    ------
    ValueError
        If it is none of ISO 8601.
    """
    cell = row[name].strip()
    try:
        return in_utc(datetime.fromisoformat(cell))
    except (ValueError, OverflowError):
        found = repr(cell) if cell else "an empty cell"
        wanted = "a time in UTC, as 2018-10-28T00:15:02Z"
        raise ValueError(f"{name}: found {found}, wanted {wanted}") from None


def check_unsplit(row: Row, name: str) -> None:
    """Check that a cell of text, if there is one, cannot be the decimals of the number before.

    Where a line leaves out its last cell and has a decimal comma, it has as many cells as it
    should, each of them in the wrong column.

    Raises
    ------
    ValueError
        If it can be.
    """
    if units := row.halves.get(name):
        cell = row[name].strip()
        raise ValueError(
            f"{name}: found '{units},{cell}', one number with a decimal comma or two cells; "
            f"write {units}.{cell} or {units}.0,{cell}, or part cells by semicolons"
        )


def parse_number(cell: str) -> float:
    """Return the number that a cell holds, which may have a decimal comma.

    Raises
    ------
    ValueError
        If it is none, the cell is empty, or its comma may part thousands.
    """
    written = cell.strip()
    if _THOUSANDS.fullmatch(written):
        either = f"{written.replace(',', '')} or {written.replace(',', '.')}"
        raise ValueError(f"found {written!r}, thousands or decimals; write {either}")
    try:
        if "_" in written:  # which Python takes
            raise ValueError
        return float(written if "." in written else written.replace(",", "."))
    except ValueError:
        found = repr(written) if written else "an empty cell"
        raise ValueError(f"found {found}, wanted a number, as 120.5") from None


def guarded(value: Any) -> Any:
    """Return what a cell is written as: text that a spreadsheet might run, behind an apostrophe."""
    return f"'{value}" if isinstance(value, str) and _is_formula(value) else value


def unguarded(cell: str) -> str:
    """Return the text of a cell: `guarded` undone."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    """Return whether a spreadsheet might run a text, apostrophes before it aside."""
    return cell.lstrip("'").startswith(_FORMULA)
