"""What truly sounds in a simulated ocean, and its CSV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, cast, get_args

from acoio.output import write_output
from acoio.tables import Row, csv_table, number, read_table, utc

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
    rows = [
        asdict(truth) | {"begin": _iso(truth.begin), "end": _iso(truth.end)} for truth in truths
    ]
    write_output(path, csv_table(_COLUMNS, rows).encode())


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_truth(path: Path) -> tuple[Truth, ...]:
    """Return the truths of a CSV file.

    Raises
    ------
    DataError
        If a column is missing or a value cannot be read; it says which line.
    """
    return tuple(read_table(path, _COLUMNS, _truth))


def _truth(row: Row) -> Truth:
    if row["kind"] not in get_args(Kind):
        raise ValueError(f"found kind {row['kind']!r}, wanted one of {get_args(Kind)}")
    return Truth(
        begin=utc(row, "begin"),
        end=utc(row, "end"),
        low_hz=number(row, "low_hz"),
        high_hz=number(row, "high_hz"),
        label=row["label"],
        snr_db=number(row, "snr_db"),
        kind=cast("Kind", row["kind"]),
    )
