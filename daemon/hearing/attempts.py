"""How often reading a file is begun: it may be what ends the daemon, each time.

It need not be: the daemon may be killed from outside while it reads.  So a file that was
begun too often is read in a process beside first, and is set aside only if that ends too.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog

from acoio.errors import NotReadyError
from daemon.drop.files import Drop
from daemon.drop.identity import HEAD_BYTES, Identity
from daemon.drop.listing import Seen
from daemon.hearing.keeping import Keeper
from daemon.hearing.trial import Trial
from daemon.ledger.ledger import Ledger
from daemon.progress import FileProgress, Step

TRIES: Final = 5
"""How often reading a file may be begun without getting on, before it is tried by itself."""

_log = structlog.get_logger()


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
        self._begun.add(file.name)
        return file

    def trouble(self, drop: Drop, file: FileProgress, rate_hz: float) -> str:
        """Return why a file must not be read here, or nothing if a process beside read it.

        Raises
        ------
        NotReadyError
            If the drop does not answer, or it cannot be tried right now.
        """
        _log.warning("a file was begun often, and is tried beside", file=file.name)
        trial = Trial(drop.meanwhile, lambda byte: drop.came(f"trial of {file.name}", byte))
        if not (trouble := trial.trouble(drop.path / file.name, rate_hz)):
            return ""
        drop.bytes_of(file.name)(0, 1)  # a drop that hangs is no fault of the file
        return f"reading it was begun {file.attempts} times and never got on; {trouble}"

    def take_back(self, name: str) -> None:
        """Count no attempt that ended in order: it is not the file that ends us."""
        file = self._ledger.files.get(name)
        if name in self._begun and file and file.attempts and file.state == "pending":
            self._begun.discard(name)
            with suppress(NotReadyError):
                self._keeper.keep(Step(files=(replace(file, attempts=file.attempts - 1),)))

    def forget(self, name: str) -> None:
        """Begin a file anew the next time."""
        self._begun.discard(name)
