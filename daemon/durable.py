"""Small files that are there whole or not at all, even after a power cut."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from acoio.errors import NotReadyError


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file so that whoever looks finds the former one or the new one, never a half.

    If not `durable`, that does not hold after a power cut, and no disk is waited for.

    Raises
    ------
    NotReadyError
        If it cannot be written, as when the disk is full; the former one is as it was.
    """
    half = path.with_name(f".{path.name}.part")  # of a run that was ended, it is taken anew
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, flags, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        half.replace(path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        raise NotReadyError(f"{path}: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk.

    Raises
    ------
    OSError
        If the disk does not take them.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
