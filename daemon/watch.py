"""The drop as it is: a scan is the truth, inotify only a hint that one is due."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Final, Self

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from acoio.errors import NotReadyError
from daemon.arrivals import Seen
from daemon.errors import plain

_HINTS: Final = [FileCreatedEvent, FileClosedEvent, FileMovedEvent, FileModifiedEvent]
_OVERFLOW_LOGGER: Final = "watchdog.observers.inotify_c"
_STOP_S: Final = 1.0


def scan(drop: Path) -> list[Seen]:
    """Return every file within the drop, in any order; links are not followed.

    Raises
    ------
    NotReadyError
        If the drop itself cannot be listed.
    """
    now_s = time.time()
    try:
        return list(_walk(drop, "", now_s))
    except OSError as error:
        raise NotReadyError(f"drop.path: {plain(drop)}: {error.strerror}") from error


def _walk(folder: Path, prefix: str, now_s: float) -> Iterator[Seen]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                try:
                    yield from _walk(Path(entry.path), f"{name}/", now_s)
                except OSError:  # gone or closed to us meanwhile: the next scan looks again
                    continue
            elif _is_text(name):
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield Seen(
                    name=name,
                    size=status.st_size,
                    inode=status.st_ino,
                    age_s=now_s - status.st_mtime,
                    regular=stat.S_ISREG(status.st_mode),
                )


def _is_text(name: str) -> bool:
    """Say whether a name is UTF-8; no recording's is otherwise."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class _OnEvent(FileSystemEventHandler):
    """Takes any event for a hint: whatever it says, the scan knows better."""

    def __init__(self, hint: Event) -> None:
        self._hint = hint

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002
        self._hint.set()


class _OnComplaint(logging.Handler):
    """Takes the watcher's own complaint, as that its queue ran over, for a hint."""

    def __init__(self, hint: Event) -> None:
        super().__init__(logging.WARNING)
        self._hint = hint

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        self._hint.set()


class Watch:
    """Sets `hint` when something may have changed in the drop.

    It is armed anew when the folder was replaced, as by a mount, or when the
    watcher's threads died; what it misses, the next scan finds.
    """

    def __init__(self, drop: Path) -> None:
        self.hint = Event()
        self._complaints = _OnComplaint(self.hint)
        self._drop = drop
        self._observer: BaseObserver | None = None
        self._identity: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        logging.getLogger(_OVERFLOW_LOGGER).addHandler(self._complaints)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger(_OVERFLOW_LOGGER).removeHandler(self._complaints)
        self._disarm()

    def arm(self) -> bool:
        """Watch the folder that stands at the path now; say whether that is possible."""
        identity = self._found()
        if identity is not None and identity == self._identity and self._alive():
            return True
        self._disarm()
        if identity is None:
            return False
        observer = Observer()
        try:
            observer.schedule(
                _OnEvent(self.hint), str(self._drop), recursive=True, event_filter=_HINTS
            )
            observer.start()
        except OSError:  # no inotify left, or the folder just went: scans must do
            return False
        self._observer, self._identity = observer, identity
        self.hint.set()
        return True

    def _found(self) -> tuple[int, int] | None:
        try:
            status = self._drop.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _alive(self) -> bool:
        observer = self._observer
        return (
            observer is not None
            and observer.is_alive()
            and all(emitter.is_alive() for emitter in observer.emitters)
        )

    def _disarm(self) -> None:
        observer, self._observer, self._identity = self._observer, None, None
        if observer is not None:
            observer.stop()
            observer.join(_STOP_S)
