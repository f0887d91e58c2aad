"""What is in a folder, so that two looks at it can be compared."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from daemon.drop.listing import is_recording

Contents = dict[str, tuple[object, ...]]
_HASHED_BYTES: Final = 256 << 20  # a sparse terabyte is known by its size alone


def contents(folder: Path) -> Contents:
    """Return the mode, and of files the size, the time and the SHA-256, of all in a folder."""
    found: Contents = {}
    for place, folders, names in os.walk(os.fsencode(folder)):
        for name in folders + names:
            path = place + b"/" + name
            found[os.fsdecode(path)] = known(path)
    return found


def recordings(folder: Path) -> Iterator[str]:
    """Yield the names within a folder that claim to be recordings; none that is no UTF-8."""
    for place, _, names in os.walk(folder):
        for name in filter(is_recording, names):
            path = os.path.relpath(Path(place, name), folder)
            if is_recording(path) and _is_text(path):
                yield path


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def known(path: bytes) -> tuple[object, ...]:
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        return (status.st_mode,)
    return status.st_mode, status.st_size, status.st_mtime_ns, _hash(path, status.st_size)


def _hash(path: bytes, size: int) -> str:
    if size > _HASHED_BYTES:
        return ""
    try:
        with Path(os.fsdecode(path)).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return str(error.strerror)
