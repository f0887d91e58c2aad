"""The newest message number that may have left, beside the ledger.

A ledger can go back without being damaged: someone restores a copy of last week, or its
write-ahead log is lost.  Its numbers would then be given out a second time.  The
witness is written between the commit of a message and its sending, so a ledger
behind its witness is known, and begins a new epoch.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from acoio.errors import NotReadyError
from daemon.durable import write_whole
from daemon.ledger.storage import DiskError
from detector.files import read_regular

_FILE: Final = "ledger.witness"
_DIGITS: Final = 20
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Numbers:
    """An epoch and its newest number."""

    epoch: str
    sequence: int

    def goes_back_to(self, found: Numbers) -> bool:
        """Say whether a ledger with `found` would give these numbers out again."""
        return found.epoch != self.epoch or found.sequence < self.sequence


class Witness:
    """Remembers numbers in a file of one line, which is written in place: that needs no room."""

    def __init__(self, store: Path) -> None:
        self._path = store / _FILE

    def read(self) -> Numbers | None:
        """Return what was written last, or None."""
        with suppress(OSError, ValueError):
            epoch, sequence = read_regular(self._path).decode("ascii").split()
            return Numbers(epoch, int(sequence))
        return None

    def write(self, numbers: Numbers) -> None:
        """Remember numbers for good; on a full disk, go on without.

        Raises
        ------
        DiskError
            If the disk fails.
        """
        line = f"{numbers.epoch} {numbers.sequence:0{_DIGITS}d}\n".encode("ascii")
        try:
            if self._path.exists() and self._path.stat().st_size == len(line):
                _overwrite(self._path, line)
            else:
                write_whole(self._path, line)
        except (OSError, NotReadyError) as error:
            cause = error.__cause__ if isinstance(error, NotReadyError) else error
            if isinstance(cause, OSError) and cause.errno == errno.EIO:
                raise DiskError(f"{self._path}: {cause.strerror}") from error
            _log.warning("witness not written", reason=str(error))


def _overwrite(path: Path, line: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(handle, line, 0)
        os.fdatasync(handle)
    finally:
        os.close(handle)
