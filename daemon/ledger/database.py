"""The ledger's file: its lock and its one writing connection.

One process writes, held to that by a lock on the store.  The database is not
locked exclusively, so that `kilokai events list` may read it at any time: the
WAL-reset race of SQLite before 3.51.3 needs two connections that write or
checkpoint, and a read-only connection does neither.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError, unusable
from daemon import locks
from daemon.ledger.schema import prepare
from daemon.ledger.storage import not_opened

LEDGER_FILE: Final = "ledger.sqlite3"
LOCK_FILE: Final = "lock"
_BUSY_S: Final = 5.0
_LOG_BYTES: Final = 16 << 20  # the write-ahead log shrinks to this after a reader held it back


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold a store, made if it is not there, for this process alone.

    Raises
    ------
    SetupError
        If it may not be used.
    NotReadyError
        If another process holds it, or its disk is full, read-only or fails.
    """
    with ExitStack() as stack:
        try:
            store.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locks.locked(store / LOCK_FILE))
        except locks.HeldError as error:
            reason = f"store.path: {store} is in use by process {error.owner}"
            raise NotReadyError(reason) from error
        except OSError as error:
            raise unusable(f"store.path: {store}", error) from error
        yield


def connect(path: Path, *, because: str = "") -> sqlite3.Connection:
    """Return the one connection that writes, with every table as it is wanted today.

    `because` is why a new ledger is begun where there was one.

    Raises
    ------
    SetupError, NotReadyError
        As `not_opened`.
    """
    try:
        return _prepared(path, because)
    except sqlite3.DatabaseError as error:
        raise not_opened(path, error) or error from error


def _prepared(path: Path, because: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")  # NORMAL loses commits at a power cut
        database.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        prepare(database, because=because)
    except BaseException:
        database.close()
        raise
    return database
