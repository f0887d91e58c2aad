"""The mark of a store: a file that is written as an epoch begins, and never again.

A store that is restored whole, its high-water mark too, looks as it did, and would give
numbers out a second time.  But no copy has the change time of what it was copied from: no
program can set that (inode(7)).  The ledger keeps the change time of its mark, and another one
tells of a copy.  So do chown, chmod and a hard link of the mark, which cannot be told apart
from it: the numbers begin anew without need then.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import structlog

from acoio.errors import NotReadyError
from daemon.durable import write_whole

MARK_FILE: Final = "ledger.mark"
_TEXT: Final = b"Written as an epoch began. A copy of it, or a change of it, begins a new epoch.\n"
_KEY: Final = "mark"
_log = structlog.get_logger()


class Mark:
    """The mark of a store, and what its ledger knows of it."""

    def __init__(self, store: Path, database: sqlite3.Connection) -> None:
        self._path = store / MARK_FILE
        self._database = database

    def complaint(self) -> str:
        """Return why the store is a copy, or nothing; without any mark it is of an earlier time."""
        known, found = self._known(), self._found()
        if known == found:
            return ""
        changed = f"changed at {found} ns" if found else "none"
        wanted = f"as it was at {known} ns" if known else "none"
        return f"was restored: found {MARK_FILE} {changed}, wanted it {wanted}"

    def renew(self) -> None:
        """Write a mark and keep its change time; without room, go on as before."""
        try:
            write_whole(self._path, _TEXT)
        except NotReadyError as error:
            _log.warning("mark not written", reason=str(error))
            return
        with self._database:
            row = (_KEY, self._found())
            self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", row)

    @property
    def is_known(self) -> bool:
        """Whether the ledger knows a mark."""
        return bool(self._known())

    def _known(self) -> str:
        query = "SELECT value FROM meta WHERE key = ?"
        row = self._database.execute(query, (_KEY,)).fetchone()
        return str(row[0]) if row else ""

    def _found(self) -> str:
        try:
            return str(self._path.stat().st_ctime_ns)
        except FileNotFoundError:
            return ""
