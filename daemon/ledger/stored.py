"""A read-only look into a store, whether or not a daemon runs on it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from acoio.clock import from_us
from acoio.errors import NotReadyError, SetupError, unusable
from daemon.errors import plain
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.soundness import wal_of
from daemon.ledger.storage import is_disk_fault, not_opened
from detector.values import iso

_BUSY_S: Final = 5.0


def stored_events(store: Path) -> list[dict[str, Any]]:
    """Return the newest revision of every event in a store, by its begin.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    with reading(store) as database:
        rows = database.execute("SELECT json FROM events ORDER BY begin, id")
        return [json.loads(text) for (text,) in rows]


def stored_begins(store: Path) -> list[datetime]:
    """Return when each event of a store begins, in order.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    with reading(store) as database:
        rows = database.execute("SELECT begin FROM events ORDER BY begin")
        return [datetime.fromisoformat(begin) for (begin,) in rows]


def stored_scores(store: Path) -> list[dict[str, Any]]:
    """Return every score in a store, by its begin.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    with reading(store) as database:
        rows = database.execute(
            "SELECT begin_us, end_us, score, threshold FROM scores ORDER BY begin_us, model"
        )
        return [
            {"begin": iso(from_us(begin)), "end": iso(from_us(end)), "score": s, "threshold": t}
            for begin, end, s, t in rows
        ]


def stored_models(store: Path) -> list[str]:
    """Return every model that an event of a store names, and the one that scores.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    query = (
        "SELECT DISTINCT json_extract(json, '$.model') FROM events "
        "UNION SELECT value FROM meta WHERE key = 'model'"
    )
    with reading(store) as database:
        return [str(model) for (model,) in database.execute(query)]


def stored_files(store: Path) -> list[dict[str, Any]]:
    """Return how far each file of the drop was read, by name.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    with reading(store) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM files ORDER BY name")]


@contextmanager
def reading(store: Path) -> Iterator[sqlite3.Connection]:
    """Give the ledger of a store to read, without a write to anything.

    Raises
    ------
    SetupError
        If there is no ledger that may be read, or it is damaged.
    NotReadyError
        If it cannot be read now.
    """
    try:
        path = _ledger_of(store)
    except OSError as error:
        where = f"store.path: {plain(store)}"
        raise unusable(where, error, "a store that may be read") from error
    try:
        with closing(_connection(path)) as database:
            yield database
    except sqlite3.Error as error:
        refused = not_opened(path, error, mode=os.O_RDONLY)
        if is_disk_fault(error):
            refused = NotReadyError(f"store.path: {path}: {error}")
        raise refused or SetupError(f"store.path: {path}: {error}") from error


def _ledger_of(store: Path) -> Path:
    path = (store / LEDGER_FILE).resolve()
    if not store.is_dir():
        raise SetupError(f"store.path: {plain(store)}: found no such folder")
    if not path.exists():
        raise SetupError(f"store.path: {plain(store)}: found no ledger; no daemon has run here")
    return path


def _connection(path: Path) -> sqlite3.Connection:
    """Return a connection that reads: on a full disk or a read-only one, with no index beside."""
    uri = f"{path.as_uri()}?mode=ro"
    database = sqlite3.connect(uri, uri=True, timeout=_BUSY_S)
    try:
        database.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        database.close()
        if wal_of(path).exists() and wal_of(path).stat().st_size:
            raise
        return sqlite3.connect(f"{uri}&immutable=1", uri=True)  # nobody has it open to write
    return database
