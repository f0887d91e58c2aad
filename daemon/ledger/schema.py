"""The ledger's tables, and the way to them from those of earlier versions."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from daemon.ledger import evidence_tables, files
from detector.values import iso

SCHEMA_VERSION: Final = 4

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, size INTEGER, inode INTEGER, bytes_read INTEGER, samples_read INTEGER,
    records INTEGER, damaged_bytes INTEGER, tail_bytes INTEGER, state TEXT, reason TEXT,
    mtime_ns INTEGER NOT NULL DEFAULT 0, head TEXT NOT NULL DEFAULT '',
    head_bytes INTEGER NOT NULL DEFAULT 0, sha256 TEXT NOT NULL DEFAULT '',
    twin TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
    late INTEGER NOT NULL DEFAULT 0, rehear INTEGER NOT NULL DEFAULT 0,
    begin_us INTEGER NOT NULL DEFAULT 0, end_us INTEGER NOT NULL DEFAULT 0,
    span_samples INTEGER NOT NULL DEFAULT 0,
    ctime_ns INTEGER NOT NULL DEFAULT 0, checksum INTEGER NOT NULL DEFAULT 0,
    rereads INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS scores (
    begin_us INTEGER, model TEXT, end_us INTEGER, score REAL, threshold REAL,
    PRIMARY KEY (begin_us, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, begin TEXT, status TEXT, json TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_begin ON events (begin);
CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY, topic TEXT, type TEXT, json TEXT NOT NULL,
    written_us INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS held_back (
    id TEXT PRIMARY KEY, hour TEXT, told INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_back_by_hour ON held_back (hour);
CREATE INDEX IF NOT EXISTS held_back_untold ON held_back (hour) WHERE NOT told;
"""

_STEPS: Final = {  # from each version to the next
    1: """
ALTER TABLE files ADD COLUMN mtime_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN head TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN head_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN twin TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN late INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN rehear INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN written_us INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET written_us = CAST(strftime('%s', 'now') AS INTEGER) * 1000000;
INSERT INTO meta SELECT 'lane.live', json_object(
    'tracker', json((SELECT value FROM meta WHERE key = 'tracker')),
    'heard', (SELECT value FROM meta WHERE key = 'heard'));
""",
    2: """
ALTER TABLE files ADD COLUMN begin_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN end_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN span_samples INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN ctime_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN rereads INTEGER NOT NULL DEFAULT 0;
""",
    3: "",  # indices alone
}


def prepare(database: sqlite3.Connection, *, because: str = "") -> None:
    """Make what is missing and bring what is older forward: all of it, or nothing.

    `because` is why a new ledger is begun where there was one.
    """
    with database:
        database.execute("BEGIN IMMEDIATE")
        found = version_of(database)
        for version in range(int(found), SCHEMA_VERSION) if found else ():
            _run(database, _STEPS[version])
        _run(database, _TABLES + files.INDICES + evidence_tables.TABLES)
        database.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", _fresh(because).items())
        if found != str(SCHEMA_VERSION):
            newest = ("schema", str(SCHEMA_VERSION))
            database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", newest)


def _fresh(because: str) -> dict[str, str]:
    return {
        "epoch": uuid.uuid4().hex[:12],
        "begun": iso(datetime.now(UTC)),
        "because": because,
        "sequence": "0",
        "published": "0",
    }


def begin_epoch(database: sqlite3.Connection, *, because: str) -> None:
    """Let the messages that are kept be numbered from 1 again, in a new epoch; all else stays.

    Whoever listens asks for those that were sent; those that were not, are sent.
    """
    fresh = _fresh(because)
    with database:
        database.execute("BEGIN IMMEDIATE")
        kept = [_legible(row) for row in database.execute(_KEPT)]
        rows = [row for row in kept if row]
        fresh["sequence"] = str(len(rows))
        fresh["published"] = str(sum(was_sent for *_, was_sent in rows))
        database.execute("DELETE FROM outbox")
        database.executemany(
            "INSERT INTO outbox VALUES (?, ?, ?, ?, ?)",
            [
                (number, topic, kind, _renumbered(said, fresh["epoch"], number), written_us)
                for number, (topic, kind, said, written_us, _) in enumerate(rows, 1)
            ],
        )
        database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", fresh.items())


_KEPT: Final = """
SELECT CAST(topic AS BLOB), CAST(type AS BLOB), CAST(json AS BLOB), written_us,
       sequence <= (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'published')
FROM outbox ORDER BY sequence
"""
_Kept = tuple[str, str, dict[str, Any], int, int]


def _legible(row: tuple[bytes, bytes, bytes, int, int]) -> _Kept | None:
    """Return a message that is kept, or None of one that a flipped bit spoilt."""
    try:
        topic, kind, text = (part.decode() for part in row[:3])
        said = json.loads(text)
    except (ValueError, AttributeError, RecursionError):
        return None
    return (topic, kind, said, *row[3:]) if isinstance(said, dict) else None


def _renumbered(said: Mapping[str, Any], epoch: str, number: int) -> str:
    place = {"id": f"{epoch}-{number}", "sequence": number, "epoch": epoch}
    return json.dumps({**said, **place}, separators=(",", ":"))


def version_of(database: sqlite3.Connection) -> str:
    """Return the version of the tables that are there, "" if there are none.

    Raises
    ------
    sqlite3.DatabaseError
        If these are no ledger's tables, or the file no database.
    """
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        return ""
    row = database.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    return str(row[0]) if row else "none"


def _run(database: sqlite3.Connection, script: str) -> None:
    """Run a script within the transaction that is open: `executescript` would commit it."""
    statement = ""
    for piece in script.split(";"):
        statement += f"{piece};"
        if sqlite3.complete_statement(statement):  # a trigger has semicolons within it
            database.execute(statement)
            statement = ""
