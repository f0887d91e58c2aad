"""Open a store's ledger, whatever became of it: sound, damaged, gone or gone back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from acoio.errors import unusable
from daemon.ledger.aside import guarded, move_aside, suspicion
from daemon.ledger.database import LEDGER_FILE, connect, locked
from daemon.ledger.mark import Mark
from daemon.ledger.schema import begin_epoch
from daemon.ledger.soundness import complaint
from daemon.ledger.witness import Numbers, Witness

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """A sound database, who bears witness to its numbers, and whether these begin anew."""

    database: sqlite3.Connection
    witness: Witness
    rebuilt: bool


@contextmanager
def opened(store: Path) -> Iterator[Opened]:
    """Give the database of a store, made if it is not there, and nobody else's until the end.

    Raises
    ------
    SetupError
        If the store may not be used, or a newer daemon made it.
    NotReadyError
        If another daemon uses it, or its disk does not take it now.
    """
    path, witness = store / LEDGER_FILE, Witness(store)
    with locked(store):
        left = witness.read()
        reason = suspicion(store) or complaint(path, known=left is not None)
        if reason:
            _move(path, reason)
        with closing(connect(path, because=reason)) as database:
            mark = Mark(store, database)
            with guarded(store):  # as it is closed, SQLite would flush once more
                if left and not reason:
                    reason = _gone_back(database, left) or _restored(database, mark)
                if reason or not mark.is_known:
                    mark.renew()
            yield Opened(database, witness, rebuilt=bool(reason))


def _move(path: Path, reason: str) -> None:
    try:
        move_aside(path, reason)
    except OSError as error:
        raise unusable(f"store.path: {path}: {reason}", error) from error


def _restored(database: sqlite3.Connection, mark: Mark) -> str:
    """Begin a new epoch if a store is a copy of itself; return why, or nothing."""
    reason = mark.complaint()
    if reason:
        begin_epoch(database, because=reason)
        _log.error("store restored: messages are numbered anew, in a new epoch", reason=reason)
    return reason


def _gone_back(database: sqlite3.Connection, left: Numbers) -> str:
    """Begin a new epoch if a ledger would give numbers out again; return why, or nothing."""
    meta = dict(database.execute("SELECT key, value FROM meta"))
    found = Numbers(meta["epoch"], int(meta["sequence"]))
    if not left.goes_back_to(found):
        return ""
    reason = (
        f"went back: found message {found.sequence} of epoch {found.epoch}, "
        f"wanted {left.sequence} of {left.epoch} or later"
    )
    begin_epoch(database, because=reason)
    _log.error("ledger went back: messages are numbered anew, in a new epoch", reason=reason)
    return reason
