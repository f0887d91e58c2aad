"""What becomes of a damaged ledger: it is kept under another name, and a new one is begun."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from acoio.errors import NotReadyError
from daemon.durable import sync_folder, write_whole
from daemon.errors import EXIT_FAILED
from daemon.ledger.storage import DiskError, StorageError, is_damage, is_disk_fault
from detector.files import read_regular

_SUSPECT: Final = "ledger.suspect"
_ASIDE: Final = "ledger-damaged-"
_PARTS: Final = ("-wal", "-shm", "")  # the log first: none may be left for the next ledger

_log = structlog.get_logger()


def move_aside(path: Path, reason: str) -> None:
    """Give a ledger and what belongs to it names with the time, so that a new one may begin.

    Raises
    ------
    OSError
        If the store does not let it.
    """
    kept = path.with_name(f"{_ASIDE}{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}{path.suffix}")
    for part in _PARTS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + part).rename(kept.with_name(kept.name + part))
    (path.parent / _SUSPECT).unlink(missing_ok=True)
    sync_folder(path.parent)
    _log.error(
        "ledger damaged: moved aside; a new one is made of the sound in the drop",
        reason=reason,
        aside=kept.name,
    )


def moved_aside(store: Path) -> list[str]:
    """Return the names of the damaged ledgers that are kept in a store, oldest first."""
    return sorted(path.name for path in store.glob(f"{_ASIDE}*.sqlite3"))


def suspicion(store: Path) -> str:
    """Return what an earlier run found wrong with the ledger as it went on, or nothing."""
    try:
        said = read_regular(store / _SUSPECT).decode("utf-8", "replace")
        return said or "found damaged by an earlier run"
    except OSError:
        return ""


@contextmanager
def guarded(store: Path) -> Iterator[None]:
    """End the process as the ledger's storage wants it, should that fail meanwhile.

    Raises
    ------
    StorageError
        If the ledger is damaged; the next run knows of it.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        if is_disk_fault(error):
            _leave(error)
        if not is_damage(error):
            raise
        with suppress(NotReadyError):
            write_whole(store / _SUSPECT, str(error).encode())
        _log.critical("ledger damaged: the next start begins a new one", reason=str(error))
        raise StorageError(f"ledger: {error}; start again to begin a new one") from error
    except DiskError as error:
        _leave(error)


def _leave(error: Exception) -> None:
    """End without closing the ledger: that would flush again, and the disk might say yes.

    Source: a failed fsync is told once and its pages are dropped; the next one
    succeeds (https://wiki.postgresql.org/wiki/Fsync_Errors).
    """
    _log.critical("the disk of the store fails: leaving at once", reason=str(error))
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(EXIT_FAILED)
