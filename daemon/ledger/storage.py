"""What an error of the ledger's storage means: wait, leave, or begin a new ledger."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from acoio.errors import AcoError, NotReadyError, SetupError, unusable

_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)  # of the file, of its index
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_TEXT: Final = "Could not decode to UTF-8"  # by Python, without a code of SQLite's
_FORBIDDEN: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)


class NoRoomError(NotReadyError):
    """The disk of the store is full: nothing was kept, and nothing is lost by waiting."""


class BusyError(NotReadyError):
    """Another process holds the ledger: nothing was kept, and nothing is lost by waiting."""


class StorageError(AcoError):
    """The ledger is damaged: this run ends, and the next one begins a new ledger."""


class DiskError(AcoError):
    """The disk did not take what it was given: nothing more may be asked of it in this run."""


def code_of(error: sqlite3.Error) -> int:
    """Return the extended code of SQLite, 0 for an error that is not SQLite's own."""
    return getattr(error, "sqlite_errorcode", 0)


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether the file is no sound database, or a text in it is none."""
    return _primary(error) in _DAMAGED or str(error).startswith(_NO_TEXT)


def is_disk_fault(error: sqlite3.Error) -> bool:
    """Say whether the disk failed to read, write or flush."""
    return _primary(error) == sqlite3.SQLITE_IOERR and not is_full(error)


def is_full(error: sqlite3.Error) -> bool:
    """Say whether there is no room left."""
    return code_of(error) in _FULL


def to_wait_for(error: sqlite3.Error) -> NotReadyError | None:
    """Return the error that says to try again, or None if that would not help."""
    if is_full(error):
        return NoRoomError(f"ledger: {error}; nothing was kept of this step")
    if _primary(error) in _BUSY:
        return BusyError(f"ledger: {error}; another process holds it")
    return None


def not_opened(
    path: Path, error: sqlite3.Error, *, mode: int = os.O_RDWR
) -> SetupError | NotReadyError | None:
    """Return the error that a database which does not open means, or None if it is another.

    SQLite does not pass on what the system answered, so the system is asked once more: only
    where it refuses for good is the set-up at fault.
    """
    if _primary(error) not in _FORBIDDEN:
        return to_wait_for(error)
    for part in ("", "-wal", "-shm"):
        try:
            os.close(os.open(f"{path}{part}", mode | os.O_CLOEXEC))
        except FileNotFoundError:
            continue
        except OSError as refused:
            return unusable(f"store.path: {path}{part}", refused)
    return NotReadyError(f"store.path: {path}: {error}")


def _primary(error: sqlite3.Error) -> int:
    return code_of(error) & 0xFF
