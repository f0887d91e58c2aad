"""The outbox of the ledger, as the process of the bus reads it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from daemon.bus.wire import nonce_of
from daemon.progress import Outgoing

_BUSY_S: Final = 5.0


class Outbox:
    """The messages of an epoch up to number `sequence`: the daemon raises that once they may go.

    A message may go when it is committed and the witness of its number is written, so what
    is newer is not even given to who asks for it.  Each query is a transaction of its own: a
    long one would keep the write-ahead log from being written back.
    """

    def __init__(self, database: sqlite3.Connection, epoch: str, sequence: int) -> None:
        self._database = database
        self.epoch = epoch
        self.sequence = sequence

    @property
    def oldest(self) -> int:
        """The oldest number that there is; `sequence` + 1 if there is none."""
        (oldest,) = self._database.execute("SELECT min(sequence) FROM outbox").fetchone()
        return self.sequence + 1 if oldest is None else min(int(oldest), self.sequence + 1)

    def messages(self, since: int, limit: int) -> list[Outgoing]:
        """Return up to `limit` messages after number `since`, in order."""
        rows = self._database.execute(
            "SELECT sequence, topic, type, json FROM outbox "
            "WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
            (since, self.sequence, limit),
        )
        return [Outgoing(*row) for row in rows.fetchall()]

    def nonce(self, number: int) -> str | None:
        """Return the nonce of a message, or None if it is not kept or has none."""
        for message in self.messages(number - 1, 1):
            if message.sequence == number:
                return nonce_of(message.text)
        return None


@contextmanager
def open_outbox(ledger: Path, *, epoch: str, sequence: int) -> Iterator[Outbox]:
    """Give the outbox of a ledger that another process writes."""
    uri = f"{ledger.as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)) as database:
        yield Outbox(database, epoch, sequence)
