"""A file that one process holds alone: whoever dies holds nothing."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError

_TRIES: Final = 20
_PAUSE_S: Final = 0.05  # somebody who only looks is gone by then


class HeldError(NotReadyError):
    """Another process, `owner` as text, holds it."""

    def __init__(self, path: Path, owner: str) -> None:
        super().__init__(f"{path}: found it held by process {owner}, wanted it free")
        self.owner = owner


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file alone; it says who does.

    Raises
    ------
    HeldError
        If another process holds it.
    OSError
        If it cannot be made.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle) as lock:
        if not _taken(handle):
            raise HeldError(path, lock.read(32).strip() or "unknown")
        with suppress(OSError):  # on a full disk, who holds it is not told
            os.ftruncate(handle, os.pwrite(handle, str(os.getpid()).encode(), 0))
        yield


def is_held(path: Path) -> bool:
    """Say whether a process holds a file; one that died or ended holds nothing."""
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # held, or not to be found out: then its last words must do
        return True
    return False


def _taken(handle: int) -> bool:
    """Say whether the lock is ours, after some tries: those who look ask for it, too."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(_PAUSE_S)
    return False
