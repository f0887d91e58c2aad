"""Hints of inotify that something changed in the drop; what is true, a scan tells."""

from __future__ import annotations

import logging
import os
from collections import deque
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

from daemon.names import name_of

_HINTS: Final = [FileCreatedEvent, FileClosedEvent, FileMovedEvent, FileModifiedEvent]
_OVERFLOW_LOGGER: Final = "watchdog.observers.inotify_c"
_STOP_S: Final = 1.0
_MOST_GROWN: Final = 256  # files at a time; the next scan finds the rest


class _OnEvent(FileSystemEventHandler):
    """Takes an event for a hint: that a scan is due or, where a file only grew, which."""

    def __init__(self, drop: Path, hint: Event, grown: deque[str]) -> None:
        self._drop = drop
        self._hint = hint
        self._grown = grown

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, FileModifiedEvent):
            self._grown.append(name_of(os.path.relpath(os.fsdecode(event.src_path), self._drop)))
        else:
            self._hint.set()


class _OnComplaint(logging.Handler):
    """Takes the watcher's own complaint, as that its queue ran over, for a hint."""

    def __init__(self, hint: Event) -> None:
        super().__init__(logging.WARNING)
        self._hint = hint

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        self._hint.set()


class Watch:
    """Sets `hint` when something may have changed in the drop, and knows what grew.

    It is armed anew when the folder was replaced, as by a mount, or when the
    watcher's threads died; what it misses, the next scan finds.
    """

    def __init__(self, drop: Path) -> None:
        self.hint = Event()
        self._grown: deque[str] = deque(maxlen=_MOST_GROWN)
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

    def grown(self) -> set[str]:
        """Return the files, by their names, that grew since this was asked last."""
        names = set()
        while self._grown:
            names.add(self._grown.popleft())
        return names

    def arm(self) -> bool:
        """Watch the folder that stands at the path now; say whether that is possible."""
        identity = self._found()
        if identity is not None and identity == self._identity and self._alive():
            return True
        self._disarm()
        if identity is None:
            return False
        try:
            self._start()
        except OSError:  # no inotify left, or the folder just went: scans must do
            self._disarm()
            return False
        self._identity = identity
        self.hint.set()
        return True

    def _start(self) -> None:
        self._observer = observer = Observer()
        observer.schedule(
            _OnEvent(self._drop, self.hint, self._grown),
            str(self._drop),
            recursive=True,
            event_filter=_HINTS,
        )
        observer.start()

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
            if observer.ident is not None:  # its own thread ran, not only what it made before
                observer.join(_STOP_S)
