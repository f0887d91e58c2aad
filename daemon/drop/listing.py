"""What the drop holds, by its folders: names, sizes and ages, nothing opened."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError
from daemon.errors import plain
from daemon.names import name_of, path_of

_SKIPPED: Final = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG}
"""What a folder within the drop may say without the rest being in doubt: it went, or nobody
here reads it.  With any other fault its files would pass for vanished."""
_GONE: Final = {errno.ENOENT, errno.ENOTDIR}
_OF_THE_DISK: Final = "lost+found/"  # of root alone, at the top of a file system


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as the folder lists it: `age_s` is how long ago it was written to, by its own time.

    `still_s` is how long nothing about it changed: its time can be set, that one cannot.
    A folder that could hold recordings and is not read is listed with why: `closed`.
    """

    name: str
    size: int
    inode: int
    mtime_ns: int = 0
    ctime_ns: int = 0
    age_s: float = field(default=0.0, compare=False)
    still_s: float = field(default=0.0, compare=False)
    regular: bool = True
    closed: str = ""


def is_recording(name: str) -> bool:
    """Say whether a name claims to be a recording: it has a HYD extension and is no part file."""
    if name.startswith(".") or "/." in name:
        return False
    _, dot, extension = name.rpartition("/")[2].rpartition(".")
    return dot == "." and extension.upper().startswith("HYD")


def may_hold_recordings(folder: str) -> bool:
    """Return True if recordings may lie in a folder ("a/b/"): it is not hidden."""
    hidden = folder.startswith(".") or "/." in folder
    return not hidden and folder != _OF_THE_DISK


def parted(listing: Iterable[Seen]) -> tuple[list[Seen], tuple[str, ...]]:
    """Return the recordings of a listing, by their names, and the names of all other files."""
    recordings, ignored = [], []
    for seen in listing:
        if is_recording(seen.name):
            recordings.append(seen)
        elif not seen.closed:
            ignored.append(seen.name)
    return recordings, tuple(ignored)


def scan(drop: Path) -> list[Seen]:
    """Return every file within the drop, in any order, and every folder that is closed to us.

    Links are not followed.

    Raises
    ------
    NotReadyError
        If the drop itself cannot be listed, or a folder in it that is there and not closed to us.
    """
    try:
        return list(_walk(drop, time.time()))
    except OSError as error:
        where = plain(error.filename or drop)
        raise NotReadyError(f"drop.path: {where}: {error.strerror}") from error


def glance(drop: Path, names: Iterable[str]) -> list[Seen]:
    """Return those of some files of the drop that are there."""
    now_s, found = time.time(), []
    for name in names:
        try:
            found.append(_seen(name, os.lstat(drop / path_of(name)), now_s))
        except OSError:
            continue
    return found


def _walk(drop: Path, now_s: float) -> Iterator[Seen]:
    folders = [""]  # a stack of our own: they may nest deeper than calls of Python may
    while folders:
        prefix = folders.pop()
        try:
            yield from _files(drop, prefix, folders, now_s)
        except OSError as error:
            if not prefix or error.errno not in _SKIPPED:
                raise
            if error.errno not in _GONE and may_hold_recordings(prefix):
                yield Seen(
                    name_of(prefix), 0, 0, regular=False, closed=error.strerror or str(error)
                )


def _files(drop: Path, prefix: str, folders: list[str], now_s: float) -> Iterator[Seen]:
    """Yield the files of a folder, and add the folders in it to those to come."""
    with os.scandir(drop / prefix) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(f"{name}/")
            else:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield _seen(name_of(name), status, now_s)


def _seen(name: str, status: os.stat_result, now_s: float) -> Seen:
    return Seen(
        name=name,
        size=status.st_size,
        inode=_signed(status.st_ino),
        mtime_ns=_signed(status.st_mtime_ns),
        ctime_ns=_signed(status.st_ctime_ns),
        age_s=now_s - status.st_mtime,
        still_s=now_s - max(status.st_mtime, status.st_ctime),
        regular=stat.S_ISREG(status.st_mode),
    )


def _signed(number: int) -> int:
    """Return a number folded into the 64 bits with a sign that the ledger holds."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)
