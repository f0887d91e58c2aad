"""Folders of models that are there whole or not at all, and one writer at a time."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError
from daemon.durable import sync_folder
from daemon.locks import locked, taken_now
from daemon.owner import private_files, require_owner

NEW: Final = ".new-"
_GONE: Final = ".gone-"
_LOCK: Final = "lock"
_WAIT_S: Final = 30.0  # a writer checks a model or two, some seconds on a busy machine


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say of an error of the system which path it was about.

    Raises
    ------
    NotReadyError
        In its place: the disk is full, or the folder may not be written.
    """
    try:
        yield
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}; no model was changed") from error


@contextmanager
def writing(home: Path, *, spare: Path | None = None) -> Iterator[None]:
    """Be the only one that writes to a registry; what others left half-done is gone.

    `spare` is not taken for that.

    Raises
    ------
    SetupError
        If root asks, and the store is another's.
    NotReadyError
        If another one writes for too long, or the folder cannot be written.
    """
    require_owner(home.parent)
    with told(home), private_files(), ExitStack() as held:
        home.mkdir(parents=True, exist_ok=True)
        held.enter_context(locked(home / _LOCK, wait_s=_WAIT_S))
        _sweep(home, spare)
        yield


@contextmanager
def new_folder(home: Path) -> Iterator[Path]:
    """Give a new folder beside the models, held as long as it is used, and gone after that.

    Raises
    ------
    NotReadyError
        If it cannot be made.
    """
    path = home / f"{NEW}{uuid.uuid4().hex}"
    with writing(home), told(path):
        path.mkdir()
        handle = _held(path)
    try:
        with private_files():
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def move_in(folder: Path, place: Path) -> None:
    """Bring a finished folder to the disk and give it its name, all at once."""
    for path in folder.iterdir():
        _sync_file(path)
    sync_folder(folder)
    folder.rename(place)
    sync_folder(place.parent)


def remove(place: Path) -> None:
    """Remove a model's folder so that none is ever seen half."""
    gone = place.with_name(f"{_GONE}{uuid.uuid4().hex}")
    place.rename(gone)
    sync_folder(place.parent)
    shutil.rmtree(gone, ignore_errors=True)


def make_link(link: Path, target: str) -> Path:
    """Return a link under another name, ready to be put in the place of `link`."""
    new = link.with_name(f"{NEW}{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    return new


def _held(folder: Path) -> int | None:
    """Return a handle that holds a folder, or None if somebody else does."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if taken_now(handle):
        return handle
    os.close(handle)
    return None


def _sweep(home: Path, spare: Path | None) -> None:
    """Remove what nobody holds any more of the folders that were not finished."""
    for left in (*home.glob(f"{NEW}*"), *home.glob(f"{_GONE}*")):
        if left != spare:
            with suppress(OSError):  # the next one tries again
                _sweep_one(left)


def _sweep_one(left: Path) -> None:
    if left.is_symlink() or not left.is_dir():
        left.unlink()
        return
    handle = _held(left)
    if handle is not None:
        shutil.rmtree(left, ignore_errors=True)
        os.close(handle)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
