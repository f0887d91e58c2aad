"""Scores in Parquet, a file a day: what the ledger has of a day, with what was there before.

Only here is pyarrow imported: 60 MB that the daemon itself never needs.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from daemon.ledger.evidence_tables import US_A_DAY

_TIME: Final = pa.timestamp("us", tz="UTC")
SCHEMA: Final = pa.schema(
    [
        pa.field("begin", _TIME, nullable=False),
        pa.field("end", _TIME, nullable=False),
        pa.field("score", pa.float64(), nullable=False, metadata={"unit": "nats"}),
        pa.field("threshold", pa.float64(), nullable=False, metadata={"unit": "nats"}),
        pa.field("model", pa.string(), nullable=False),
    ]
)
_FOLDER: Final = "scores"
_COLUMNS: Final = "begin_us, end_us, score, threshold, model"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day_path(day: int) -> PurePosixPath:
    """Return where the scores of a UTC day (days since 1970) lie, relative to the store."""
    return PurePosixPath(_FOLDER, f"day={_EPOCH + timedelta(days=day):%Y-%m-%d}", "scores.parquet")


def day_table(store: Path, database: sqlite3.Connection, day: int) -> tuple[Any, int]:
    """Return the table of a day, as it should be, and how many of its rows the ledger has."""
    stored = ledger_table(database, day * US_A_DAY, (day + 1) * US_A_DAY)
    path = store / day_path(day)
    former = read_day(path) if path.exists() else SCHEMA.empty_table()
    return merged(former, stored), len(stored)


def ledger_table(database: sqlite3.Connection, begin_us: int, end_us: int) -> Any:
    """Return the scores of windows that begin in [begin, end) by the ledger."""
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM scores WHERE begin_us >= ? AND begin_us < ? "
        "ORDER BY begin_us, model",
        (begin_us, end_us),
    ).fetchall()
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def merged(former: Any, newer: Any) -> Any:
    """Return the rows of both in order, each window and model once, as the newer one says."""
    keys = {*_keys(newer)}
    kept = former.filter(pa.array([key not in keys for key in _keys(former)], pa.bool_()))
    both = pa.concat_tables([kept, newer])
    return both.sort_by([("begin", "ascending"), ("model", "ascending")])


def read_day(path: Path) -> Any:
    """Return the table of a file, without the day that its folder says."""
    return pq.ParquetFile(path).read().cast(SCHEMA)


def write_table(table: Any, path: Path) -> None:
    """Write a table to a file."""
    pq.write_table(table, path, compression="zstd")


def _keys(table: Any) -> list[tuple[int, str]]:
    begins = table["begin"].cast(pa.int64()).to_pylist()
    return list(zip(begins, table["model"].to_pylist(), strict=True))
