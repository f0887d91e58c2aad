"""How often reading a file is begun: it may be what ends the daemon, each time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from acoio.errors import NotReadyError
from daemon.drop.identity import HEAD_BYTES, Identity
from daemon.drop.listing import Seen
from daemon.hearing.keeping import Keeper
from daemon.ledger.ledger import Ledger
from daemon.progress import FileProgress, Step

TRIES: Final = 5
"""How often reading a file may be begun without getting on, before it is set aside."""


class Attempts:
    """Commits that a file is tried before it is, once in a life of the daemon."""

    def __init__(self, identity: Identity, keeper: Keeper, ledger: Ledger) -> None:
        self._identity = identity
        self._keeper = keeper
        self._ledger = ledger
        self._begun: set[str] = set()

    def wants(self, seen: Seen, file: FileProgress) -> bool:
        """Say whether a file is to be begun before it is read."""
        return file.name not in self._begun or file.head_bytes < HEAD_BYTES <= seen.size

    def begin(self, seen: Seen, file: FileProgress) -> FileProgress:
        """Return a file with its first bytes known and one attempt more, committed.

        Raises
        ------
        NotReadyError, DataError
            If it cannot be looked into, or the ledger not written, right now.
        """
        begun, *others = self._identity.begun(file, seen)
        file = begun if begun.twin else replace(begun, attempts=file.attempts + 1)
        self._keeper.keep(Step(files=(file, *others)))
        self._identity.learn(file)
        self._begun.add(file.name)
        return file

    def take_back(self, name: str) -> None:
        """Count no attempt that ended in order: it is not the file that ends us."""
        file = self._ledger.files.get(name)
        if file and file.attempts and file.state == "pending":
            self._begun.discard(name)
            with suppress(NotReadyError):
                self._keeper.keep(Step(files=(replace(file, attempts=file.attempts - 1),)))

    def forget(self, name: str) -> None:
        """Begin a file anew the next time."""
        self._begun.discard(name)
