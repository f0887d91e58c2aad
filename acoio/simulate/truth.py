"""What truly sounds in a simulated ocean, and its CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from acoio.errors import DataError
from acoio.output import write_output

Kind = Literal["call", "ship", "gear"]


@dataclass(frozen=True, slots=True)
class Truth:
    """One sound: when (UTC), in which band, what it is and how loud.

    `snr_db` is its power re the background's, both in its own band: while it sounds
    for a call or a noise of the gear (between its clicks a train of them does not
    sound), at its nearest for a ship; for a DC step it is the height re the
    background's rms.
    """

    begin: datetime
    end: datetime
    low_hz: float
    high_hz: float
    label: str
    snr_db: float
    kind: Kind


_COLUMNS: Final = tuple(field.name for field in fields(Truth))


def write_truth(path: Path, truths: Iterable[Truth]) -> None:
    """Write truths as CSV, one line each, times in ISO 8601.

    Raises
    ------
    NotReadyError
        If it cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, _COLUMNS)
    table.writeheader()
    for truth in truths:
        times = {"begin": _iso(truth.begin), "end": _iso(truth.end)}
        table.writerow(asdict(truth) | times)
    write_output(path, text.getvalue().encode())


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_truth(path: Path) -> tuple[Truth, ...]:
    """Return the truths of a CSV file.

    Raises
    ------
    DataError
        If a column is missing or a value cannot be read; it says which line.
    """
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise DataError(f"{path}: found no column {', '.join(missing)}")
        return tuple(_truth(row, f"{path}, line {table.line_num}") for row in table)


def _truth(row: dict[str, Any], where: str) -> Truth:
    if row["kind"] not in get_args(Kind):
        raise DataError(f"{where}: found kind {row['kind']!r}, wanted one of {get_args(Kind)}")
    try:
        return Truth(
            begin=datetime.fromisoformat(row["begin"]),
            end=datetime.fromisoformat(row["end"]),
            low_hz=float(row["low_hz"]),
            high_hz=float(row["high_hz"]),
            label=row["label"],
            snr_db=float(row["snr_db"]),
            kind=row["kind"],
        )
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {error}") from error
