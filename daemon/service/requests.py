"""The inbox: what people ask of the daemon, as files, since it alone writes the ledger.

`submit` is for commands: it leaves a file in `requests` of the store and needs no
daemon.  `Requests` is the daemon's chore that does what they say.  A request may
be done twice (a crash between doing and removing it), so handlers are idempotent.
"""

from __future__ import annotations

import heapq
import json
import os
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import structlog

from acoio.errors import DataError, NotReadyError, SetupError, unusable
from daemon.durable import write_whole
from daemon.errors import plain
from daemon.owner import private_files

FOLDER: Final = "requests"
LARGEST_BYTES: Final = 64 << 10
_SUFFIX: Final = ".json"
REFUSED: Final = ".refused"
_LOOK_S: Final = 0.5
_AT_ONCE: Final = 4  # a turn: each is a commit, some milliseconds
_IN_ORDER: Final = 4096  # so many waiting requests are put in order; a flood is not
_AGAIN_S: Final = 5.0  # after one that could not be done yet

Data = Mapping[str, Any]
Handler = Callable[[Data], None]

# What a handler raises at data that is not what it wants; DataError is a ValueError.
_UNFIT: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_log = structlog.get_logger()


def submit(store: Path, kind: str, data: Data) -> Path:
    """Ask the daemon of a store for something; return the file that asks, gone once it is done.

    Raises
    ------
    DataError
        If it is larger than the daemon reads.
    SetupError
        If there is no such store, or it may not be written to.
    NotReadyError
        If the disk is full.
    """
    text = json.dumps({"kind": kind, "data": data}, allow_nan=False).encode()
    if len(text) > LARGEST_BYTES:
        raise DataError(f"request: found {len(text)} bytes, wanted at most {LARGEST_BYTES}")
    folder = store / FOLDER
    try:
        with private_files():
            folder.mkdir(exist_ok=True)
        _require_own(folder, store)
    except OSError as error:
        raise unusable(f"store.path: {plain(store)}", error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SetupError(f"store.path: {plain(folder)}: Permission denied")
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{uuid.uuid4()}{_SUFFIX}"
    ours = folder.stat().st_uid == os.geteuid()
    with private_files() if ours else nullcontext():  # what root asks, the store's owner reads
        write_whole(path, text)
    return path


def _require_own(folder: Path, store: Path) -> None:
    """Refuse an inbox that leads out of its store, where root would write for somebody else.

    Raises
    ------
    SetupError
        If it is no folder of the store's owner.
    OSError
        If it cannot be looked at.
    """
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise SetupError(f"{plain(folder)}: found a link or a file, wanted a folder")
    if status.st_uid not in (store.stat().st_uid, os.geteuid()):
        raise SetupError(f"{plain(folder)}: found a folder that is not the store's owner's")


class Requests:
    """Does what is asked, oldest first, a few a turn.

    `handlers` by kind; each has committed what it did when it returns.  It raises
    `NotReadyError` to be tried again later; what it finds wrong with the data
    refuses the request: the file gets another name and is not looked at again.
    """

    def __init__(self, store: Path, handlers: Mapping[str, Handler]) -> None:
        self._folder = store / FOLDER
        self._handlers = handlers
        self._later: dict[str, float] = {}
        self._look_at_s = 0.0
        with suppress(OSError):  # made here, so that it belongs to who has to remove files from it
            self._folder.mkdir()

    def do(self, now_s: float) -> None:
        """Do the oldest requests there are, at a time (monotonic, seconds)."""
        if now_s < self._look_at_s:
            return
        names = heapq.nsmallest(_AT_ONCE, self._waiting(now_s))
        for name in names:
            self._take(name, now_s)
        if not names:
            self._look_at_s = now_s + _LOOK_S

    def _waiting(self, now_s: float) -> list[str]:
        """Return the names of requests that are due; forget those that are gone."""
        try:
            with os.scandir(self._folder) as entries:
                found = set(islice(_names(entries), _IN_ORDER))
        except OSError:  # nobody asked for anything yet
            found = set()
        self._later = {name: due_s for name, due_s in self._later.items() if name in found}
        return [name for name in found if self._later.get(name, now_s) <= now_s]

    def _take(self, name: str, now_s: float) -> None:
        path = self._folder / name
        try:
            kind, data = _read(path)
            self._apply(kind, data)
            _log.info("request done", request=name, kind=kind)
            path.unlink(missing_ok=True)
        except (NotReadyError, OSError) as error:
            self._postpone(name, error, now_s)
        except _UNFIT as error:
            self._refuse(path, error, now_s)

    def _apply(self, kind: str, data: Data) -> None:
        if kind not in self._handlers:
            raise DataError(f"kind: found {kind!r}, wanted one of {', '.join(self._handlers)}")
        self._handlers[kind](data)

    def _postpone(self, name: str, error: Exception, now_s: float) -> None:
        if name not in self._later:
            _log.warning("request waits, will try again", request=name, reason=str(error))
        self._later[name] = now_s + _AGAIN_S

    def _refuse(self, path: Path, error: Exception, now_s: float) -> None:
        reason = str(error) if isinstance(error, DataError) else repr(error)
        try:
            path.rename(path.with_name(path.name + REFUSED))
        except OSError as failure:
            self._postpone(path.name, failure, now_s)
            return
        _log.warning("request refused", request=path.name, reason=reason)


def _names(entries: Iterator[os.DirEntry[str]]) -> Iterator[str]:
    return (
        entry.name
        for entry in entries
        if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")
    )


def _read(path: Path) -> tuple[str, Data]:
    """Return kind and data of a request.

    Raises
    ------
    DataError
        If it is none.
    OSError
        If it cannot be read.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise DataError("found no regular file")
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        text = file.read(LARGEST_BYTES + 1)
    if len(text) > LARGEST_BYTES:
        raise DataError(f"size: found more than {LARGEST_BYTES} bytes")
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"found no JSON: {error}") from error
    match asked:
        case {"kind": str(kind), "data": dict(data)}:
            return kind, data
    raise DataError('wanted {"kind": text, "data": object}')
