"""Whether a ledger is sound: asked at each start, before anything is written to it.

Everything but the scores is checked, which takes milliseconds.  A year of scores is
30 million rows, 2 GB, and takes 4 s when it is in memory and 42 s when it has to
come from a disk: damage there shows when it is read, and ends that run (`aside`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from acoio.errors import SetupError
from daemon.ledger.schema import SCHEMA_VERSION, prepare, version_of
from daemon.ledger.storage import DiskError, is_damage, is_disk_fault, not_opened
from daemon.progress import LaneState

_SMALL: Final = ("meta", "files", "events", "outbox")
_HEADER_BYTES: Final = 100
_NO_TABLE: Final = "no such"


def wal_of(path: Path) -> Path:
    """Return where the write-ahead log of a database lies."""
    return path.with_name(path.name + "-wal")


def complaint(path: Path, *, known: bool) -> str:
    """Return what is wrong with a ledger, or "" if it is sound or not begun yet.

    `known` says that there has been one in this store.

    Raises
    ------
    SetupError
        If it is of a newer version, or may not be opened.
    NotReadyError
        If it cannot be opened now, as where another process holds it.
    DiskError
        If it cannot be read.
    """
    size = path.stat().st_size if path.exists() else 0
    if not size:
        left = wal_of(path).exists() and wal_of(path).stat().st_size
        return "found 0 bytes of it, wanted the ledger that was here" if known or left else ""
    if size < _HEADER_BYTES:
        return f"found {size} bytes, wanted a database"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            return _complaint(database, path, known=known)
    except sqlite3.DatabaseError as error:
        if is_damage(error) or _NO_TABLE in str(error):
            return str(error)
        if is_disk_fault(error):
            raise DiskError(f"{path}: {error}") from error
        raise not_opened(path, error) or error from error


def _complaint(database: sqlite3.Connection, path: Path, *, known: bool) -> str:
    version = version_of(database)
    if not version:
        return "found no tables, wanted the ledger that was here" if known else ""
    if not version.isdecimal() or int(version) < 1:
        return f"schema: found {version!r}, wanted a version"
    if int(version) > SCHEMA_VERSION:
        raise SetupError(
            f"{path}: found schema {version}, wanted {SCHEMA_VERSION} at most: "
            "a newer kilokai wrote it, and only that one may go on with it"
        )
    for order in ("ASC", "DESC"):  # both ends of the scores: SQLite raises what is wrong there
        database.execute(f"SELECT * FROM scores ORDER BY begin_us {order} LIMIT 1").fetchone()
    return next(_faults(database, version), "")


def _faults(database: sqlite3.Connection, version: str) -> Iterator[str]:
    """Yield what does not fit, in the order of what rests on what."""
    if version == str(SCHEMA_VERSION):
        yield from _wrong_definitions(database)
    for table in _SMALL:
        (found,) = database.execute(f"PRAGMA quick_check('{table}')").fetchone()
        if found != "ok":
            yield f"{table}: {found}"
    meta = dict(database.execute("SELECT key, value FROM meta"))
    yield from _wrong_numbers(meta, database)
    yield from _wrong_lanes(meta)
    for table in ("events", "outbox"):
        query = f"SELECT count(*) FROM {table} WHERE NOT json_valid(json)"
        (count,) = database.execute(query).fetchone()
        if count:
            yield f"{table}: found {count} rows that are no JSON"


def _wrong_definitions(database: sqlite3.Connection) -> Iterator[str]:
    """Yield what is defined otherwise than in a new ledger: the first commit would meet it."""
    with closing(sqlite3.connect(":memory:")) as new:
        prepare(new)
        wanted = _definitions(new)
    for definition in _definitions(database) - wanted:
        yield f"schema: found {definition!r}, wanted none but those of version {SCHEMA_VERSION}"


def _definitions(database: sqlite3.Connection) -> set[tuple[str, ...]]:
    """Return the columns of all tables, and the text of all triggers and indices."""
    columns = (
        "SELECT master.name, info.name, info.type FROM sqlite_master AS master, "
        "pragma_table_info(master.name) AS info WHERE master.type = 'table'"
    )
    texts = "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql != ''"
    return {*database.execute(columns).fetchall(), *database.execute(texts).fetchall()}


def _wrong_lanes(meta: dict[str, str]) -> Iterator[str]:
    """Yield which lanes could not be gone on with."""
    for key in (key for key in meta if key.startswith("lane.")):
        try:
            LaneState(**json.loads(meta[key]))
        except (ValueError, TypeError) as error:
            yield f"meta: {key}: {error}"


def _wrong_numbers(meta: dict[str, str], database: sqlite3.Connection) -> Iterator[str]:
    """Yield what is wrong with the numbers of messages: they have no holes up to the newest."""
    texts = [str(meta.get(key)) for key in ("sequence", "published")]
    if not meta.get("epoch") or not all(text.isdecimal() for text in texts):
        yield f"meta: found epoch {meta.get('epoch')!r} and numbers {texts}"
        return
    sequence, published = map(int, texts)
    query = "SELECT count(*), min(sequence), max(sequence) FROM outbox"
    count, oldest, newest = database.execute(query).fetchone()
    if published > sequence or (count and (newest != sequence or newest - oldest + 1 != count)):
        yield (
            f"outbox: found {count} messages from {oldest} to {newest}, "
            f"wanted them up to {sequence}"
        )
