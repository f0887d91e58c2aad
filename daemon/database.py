"""The ledger's file: its lock and its one writing connection.

One process writes, held to that by a lock on the store.  The database is not
locked exclusively, so that `kilokai events list` may read it at any time: the
WAL-reset race of SQLite before 3.51.3 needs two connections that write or
checkpoint, and a read-only connection does neither.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from acoio.errors import SetupError
from daemon.schema import prepare
from daemon.storage import is_forbidden, to_wait_for

LEDGER_FILE: Final = "ledger.sqlite3"
_TRIES: Final = 5
_PAUSE_S: Final = 0.02
_BUSY_S: Final = 5.0
_LOG_BYTES: Final = 16 << 20  # the write-ahead log shrinks to this after a reader held it back


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
    with os.fdopen(handle) as lock:
        if not _taken(handle):
            owner = lock.read(32).strip() or "unknown"
            raise SetupError(f"store.path: {store} is in use by process {owner}")
        with suppress(OSError):  # on a full disk, who holds it is not told
            os.ftruncate(handle, os.pwrite(handle, str(os.getpid()).encode(), 0))
        yield


def _taken(handle: int) -> bool:
    """Say whether the lock is ours, after some tries: `kilokai status` asks for it, too."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(_PAUSE_S)
    return False


def connect(path: Path, *, because: str = "") -> sqlite3.Connection:
    """Return the one connection that writes, with every table as it is wanted today.

    `because` is why a new ledger is begun where there was one.

    Raises
    ------
    SetupError
        If it may not be written.
    NotReadyError
        If there is no room for it, or another process holds it.
    """
    try:
        return _prepared(path, because)
    except sqlite3.DatabaseError as error:
        if is_forbidden(error):
            raise SetupError(f"store.path: {path}: {error}") from error
        raise to_wait_for(error) or error from error


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
