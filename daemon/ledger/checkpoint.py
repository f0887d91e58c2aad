"""Bring the write-ahead log into the database, so that a disk that fails there is noticed.

SQLite does so by itself after a commit and as it closes, but reports no error of it
(`sqlite3WalDefaultHook` and `sqlite3WalClose` drop them): on a disk that flushes no more, the log
would grow and nobody know.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from daemon.ledger.storage import is_full

_LONG_BYTES: Final = 4 << 20  # SQLite's own measure, 1000 pages
_TOO_LONG_BYTES: Final = 16 << 20  # readers that take turns would let it grow without end
_PATIENCE_MS: Final = 250  # with those readers
BUSY_MS: Final = 5000


class Checkpoint:
    """The log, at `wal`, of the one connection that writes."""

    def __init__(self, database: sqlite3.Connection, wal: Path) -> None:
        self._database = database
        self._wal = wal

    def after_commit(self) -> None:
        """Bring a long log into the database, as far as readers let it; later on a full disk.

        Raises
        ------
        sqlite3.OperationalError
            If the disk fails.
        """
        size = self._bytes()
        if size >= _TOO_LONG_BYTES:
            self._database.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
            self._run("RESTART")
            self._database.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        elif size >= _LONG_BYTES:
            self._run("PASSIVE")

    def at_end(self) -> None:
        """Bring all of the log into the database, as far as readers let it.

        Raises
        ------
        sqlite3.OperationalError
            As `after_commit`.
        """
        self._run("PASSIVE")

    def _run(self, mode: str) -> None:
        try:
            self._database.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise

    def _bytes(self) -> int:
        with suppress(FileNotFoundError):
            return self._wal.stat().st_size
        return 0
