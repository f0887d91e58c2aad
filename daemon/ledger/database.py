"""The ledger's file: its lock and its one writing connection.

One process writes, held to that by a lock on the store.  The database is not
locked exclusively, so that `kilokai events list` may read it at any time: the
WAL-reset race of SQLite before 3.51.3 needs two connections that write or
checkpoint, and a read-only connection does neither.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError, unusable
from daemon import locks
from daemon.durable import sync_folder
from daemon.ledger.checkpoint import BUSY_MS
from daemon.ledger.schema import prepare
from daemon.ledger.storage import DiskError, not_opened

LEDGER_FILE: Final = "ledger.sqlite3"
LOCK_FILE: Final = "lock"


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
    DiskError
        If the disk does not take its name.
    """
    try:
        return _prepared(path, because)
    except sqlite3.DatabaseError as error:
        raise not_opened(path, error) or error from error
    except OSError as error:
        if error.errno == errno.EIO:
            raise DiskError(f"{path.parent}: {error.strerror}") from error
        raise unusable(f"store.path: {path.parent}", error) from error


def _prepared(path: Path, because: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")  # NORMAL loses commits at a power cut
        database.execute("PRAGMA wal_autocheckpoint = 0")  # `checkpoint` does it
        database.execute("PRAGMA journal_size_limit = 0")  # the log's file is as long as the log
        prepare(database, because=because)
        sync_folder(path.parent)  # SQLite asks for it, too, and ignores the answer
    except BaseException:
        database.close()
        raise
    return database
