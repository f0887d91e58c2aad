"""The one writer of files that a person named: whole or not at all, and only in place of a file.

A link is followed, as the shell does: its target is replaced, and the link stays.  What is no
regular file (a pipe, a terminal, a device, an open file as `/dev/fd/3`) is written through.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from acoio.errors import NotReadyError, SetupError

_MOST_LINKS: Final = 40  # as Linux follows
_NO_HARD_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # FAT, some network mounts


@contextmanager
def output(
    path: str | Path, *, overwrite: bool = True, private: bool = False
) -> Iterator[BinaryIO]:
    """Give a binary file to write, which takes its name at the end, or none after an error.

    A file that is replaced hands on its mode and its owner.  With `private` only the user may
    read it (mode 600), and a link is not followed.

    Raises
    ------
    SetupError
        If there is a file and none is to be overwritten, or if the name is a link or a pipe
        that another user put into a folder that anybody may write to.
    NotReadyError
        If it cannot be written: the folder is missing, or the disk is full.
    """
    path = Path(path)
    try:
        target = _target(path)
        if _is_stream(target):
            with io.BytesIO() as held:
                yield held
                _write_through(target, held.getvalue())
        elif private and target != path:
            raise SetupError(f"{path}: found a link, wanted a name that is free")
        else:
            with _whole(target, overwrite=overwrite, private=private) as file:
                yield file
    except OSError as error:
        raise _unwritable(path, error) from error


def write_output(
    path: str | Path, data: bytes | memoryview, *, overwrite: bool = True, private: bool = False
) -> None:
    """Write a file whole; raises as `output`."""
    with output(path, overwrite=overwrite, private=private) as file:
        file.write(data)


def is_taken(path: str | Path) -> bool:
    """Return whether writing there would replace something; pipes and devices lose nothing.

    Raises
    ------
    SetupError, NotReadyError
        As `output`.
    """
    try:
        target = _target(Path(path))
        return not _is_stream(target) and _lstat(target) is not None
    except OSError as error:
        raise _unwritable(Path(path), error) from error


def _target(path: Path) -> Path:
    """Return where links lead, which need not be there; an open file of a process is an end."""
    for _ in range(_MOST_LINKS):
        found = _lstat(path)
        if found is None or _is_open_file(path):
            return path
        _require_trusted(path, found)
        if not stat.S_ISLNK(found.st_mode):
            return path
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _require_trusted(path: Path, found: os.stat_result) -> None:
    """Refuse what leads elsewhere and was put by another user where anybody may put things.

    Source: `fs.protected_symlinks` and `fs.protected_fifos` of Linux, which may be off.
    """
    leads = stat.S_ISLNK(found.st_mode) or stat.S_ISFIFO(found.st_mode)
    folder = path.parent.stat()
    public = folder.st_mode & stat.S_IWOTH
    if leads and public and found.st_uid not in (os.geteuid(), folder.st_uid):
        kind = "link" if stat.S_ISLNK(found.st_mode) else "pipe"
        raise SetupError(
            f"{path}: found a {kind} of user {found.st_uid} in a folder that anybody may write "
            "to, wanted a file of one's own"
        )


def _is_open_file(path: Path) -> bool:
    """Return whether it is as `/proc/self/fd/1` and its like: a link only in name."""
    return Path(os.path.realpath(path.parent)).match("/proc/*/fd")


def _is_stream(path: Path) -> bool:
    """Return whether what is there takes bytes and keeps none that writing it anew would lose."""
    found = _lstat(path)
    if found is None or _is_open_file(path):
        return found is not None
    return stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode)


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _write_through(path: Path, data: bytes) -> None:
    own = Path(os.path.realpath(path.parent)) == Path(f"/proc/{os.getpid()}/fd")
    if own:  # goes on where it is, and may be a socket, which cannot be opened again
        handle = os.dup(int(path.name))
    else:
        handle = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


@contextmanager
def _whole(path: Path, *, overwrite: bool, private: bool) -> Iterator[BinaryIO]:
    former = _lstat(path)
    if former and not stat.S_ISREG(former.st_mode):
        raise SetupError(f"{path}: found {_kind(former)}, wanted a file or a free name")
    if former and not overwrite:
        raise _exists(path)
    half = path.with_name(f".{secrets.token_hex(8)}.part")  # which nobody can foresee
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(half, flags, 0o600 if private or former else 0o666)
    try:
        with os.fdopen(handle, "w+b") as file:
            if former and not private:
                _hand_on(handle, former)
            yield file
            file.flush()
            os.fsync(handle)
        _take_name(half, path, overwrite=overwrite)
    finally:
        half.unlink(missing_ok=True)


def _hand_on(handle: int, former: os.stat_result) -> None:
    """Give a file the owner and the mode of a former one, as far as the user may."""
    with suppress(PermissionError):
        os.fchown(handle, former.st_uid, former.st_gid)
    os.fchmod(handle, stat.S_IMODE(former.st_mode) & 0o777)


def _take_name(half: Path, path: Path, *, overwrite: bool) -> None:
    if not overwrite:
        try:
            path.hardlink_to(half)
            return
        except FileExistsError:
            raise _exists(path) from None
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
    half.replace(path)


def _unwritable(path: Path, error: OSError) -> NotReadyError:
    return NotReadyError(f"{path}: {error.strerror or error}, wanted to write a file there")


def _exists(path: Path) -> SetupError:
    return SetupError(f"{path}: found a file there, wanted none: none is overwritten unasked")


def _kind(found: os.stat_result) -> str:
    if stat.S_ISDIR(found.st_mode):
        return "a folder"
    return "a disk" if stat.S_ISBLK(found.st_mode) else "a socket"
