"""Read a file of a model or a store, whatever others left in its place: it never waits."""

from __future__ import annotations

import errno
import os
import stat
from importlib import resources
from pathlib import Path
from typing import Final

from detector.errors import ModelError

PRETRAINED: Final = "ocean-v1"

SMALL_BYTES: Final = 16 << 20  # a card, a verdict, a status: some kilobytes
LARGEST_BYTES: Final = 1 << 30  # the tensors of a model: some megabytes


def read_regular(path: Path, most_bytes: int = SMALL_BYTES) -> bytes:
    """Return the bytes of a regular file, at most so many.

    Raises
    ------
    OSError
        If it cannot be read, is larger, or is a pipe, a device or a folder.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "found no regular file", str(path))
        if found.st_size > most_bytes:
            message = f"found {found.st_size} bytes, wanted at most {most_bytes}"
            raise OSError(errno.EFBIG, message, str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most_bytes)
    finally:
        os.close(handle)


def model_folder(path_or_name: str | Path) -> Path:
    """Return the folder of a pretrained name, or of a path as it is."""
    if str(path_or_name) == PRETRAINED:
        return Path(str(resources.files("detector") / "pretrained" / PRETRAINED))
    return Path(path_or_name)


def read_part(path: Path, most_bytes: int = SMALL_BYTES) -> bytes:
    """Return the bytes of a file of a model.

    Raises
    ------
    ModelError
        If it cannot be read.
    """
    try:
        return read_regular(path, most_bytes)
    except OSError as error:
        raise ModelError(f"model {path}: {error.strerror}", reason="missing") from error
