"""The ledger's file: its lock, its tables, its one writing connection.

One process writes, held to that by a lock on the store.  The database is not
locked exclusively, so that `kilokai events list` may read it at any time: the
WAL-reset race of SQLite before 3.51.3 needs two connections that write or
checkpoint, and a read-only connection does neither.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from acoio.errors import SetupError
from daemon import evidence_tables

SCHEMA_VERSION: Final = 1
LEDGER_FILE: Final = "ledger.sqlite3"
_BUSY_S: Final = 5.0
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, size INTEGER, inode INTEGER, bytes_read INTEGER, samples_read INTEGER,
    records INTEGER, damaged_bytes INTEGER, tail_bytes INTEGER, state TEXT, reason TEXT);
CREATE TABLE IF NOT EXISTS scores (
    begin_us INTEGER, model TEXT, end_us INTEGER, score REAL, threshold REAL,
    PRIMARY KEY (begin_us, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, begin TEXT, status TEXT, json TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_begin ON events (begin);
CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY, topic TEXT, type TEXT, json TEXT NOT NULL);
"""


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold a store, made if it is not there, for this process alone.

    Raises
    ------
    SetupError
        If it cannot be used, or another process holds it.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        handle = os.open(store / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SetupError(f"store.path: {store}: {error.strerror}") from error
    with os.fdopen(handle, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = lock.read(32).strip() or "unknown"
            raise SetupError(f"store.path: {store} is in use by process {owner}") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def connect(path: Path) -> sqlite3.Connection:
    """Return the one connection that writes, with every table made.

    Raises
    ------
    SetupError
        If it is no ledger, or one of another version.
    """
    database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        version = _prepare(database)
    except sqlite3.DatabaseError as error:
        database.close()
        raise SetupError(f"{path}: {error}; move it away to begin a new ledger") from error
    if version != str(SCHEMA_VERSION):
        database.close()
        raise SetupError(f"{path}: found schema {version}, wanted {SCHEMA_VERSION}")
    return database


def _prepare(database: sqlite3.Connection) -> str:
    """Make what is missing, and return the version of the schema."""
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")  # NORMAL loses commits at a power cut
    with database:
        database.executescript(f"BEGIN IMMEDIATE; {_TABLES} {evidence_tables.TABLES}")
        database.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", _fresh_meta().items())
    (version,) = database.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    return str(version)


def _fresh_meta() -> dict[str, str]:
    return {
        "schema": str(SCHEMA_VERSION),
        "epoch": uuid.uuid4().hex[:12],
        "sequence": "0",
        "published": "0",
        "tracker": "{}",
    }
