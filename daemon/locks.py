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

_WAIT_S: Final = 1.0  # somebody who only looks is gone by then
_PAUSE_S: Final = 0.05


class HeldError(NotReadyError):
    """Another process, `owner` as text, holds it."""

    def __init__(self, path: Path, owner: str) -> None:
        super().__init__(f"{path}: found it held by process {owner}, wanted it free")
        self.owner = owner


@contextmanager
def locked(path: Path, *, wait_s: float = _WAIT_S) -> Iterator[None]:
    """Hold a file alone, after waiting so long at most; it says who does.

    Raises
    ------
    HeldError
        If another process holds it.
    OSError
        If it cannot be made.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle) as lock:
        if not _taken(handle, wait_s):
            raise HeldError(path, lock.read(32).strip() or "unknown")
        with suppress(OSError):  # on a full disk, who holds it is not told
            os.ftruncate(handle, os.pwrite(handle, str(os.getpid()).encode(), 0))
        yield


def is_held(path: Path) -> bool:
    """Say whether a process holds a file; one that died or ended holds nothing."""
    try:
        with open(path, "rb", opener=_open_at_once) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # held, or not to be found out: then its last words must do
        return True
    return False


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _taken(handle: int, wait_s: float) -> bool:
    """Say whether the lock is ours, after some tries: those who look ask for it, too."""
    until_s = time.monotonic() + wait_s
    while not taken_now(handle):
        if time.monotonic() >= until_s:
            return False
        time.sleep(_PAUSE_S)
    return True


def taken_now(handle: int) -> bool:
    """Say whether what is open there, a file or a folder, is held by us from now on."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
