"""What the daemon says of itself in its store, for `kilokai status`: one small file."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from acoio.errors import NotReadyError
from daemon.durable import write_whole
from daemon.health.kinds import understood
from detector.files import read_regular
from detector.values import iso

STATUS_FILE: Final = "status.json"
BEATS: Final = 3  # heartbeats without a sign of life: it does not run
Said = Mapping[str, Any]


class StatusFile:
    """The chore that writes it with each heartbeat; `say` gives what changes.

    On a full disk the former one stays and is only touched, so that its age still tells
    that the daemon runs.
    """

    def __init__(
        self, store: Path, *, heartbeat_s: float, fixed: Said, say: Callable[[], Said]
    ) -> None:
        self._path = store / STATUS_FILE
        started = iso(datetime.now(UTC))
        self._fixed = {"pid": os.getpid(), "started": started, **fixed}
        self._say = say
        self.write_every(heartbeat_s)

    def said(self) -> Said:
        """Return what is so now."""
        return {**self._fixed, **self._say()}

    def write_every(self, heartbeat_s: float) -> None:
        """Write so often, from now on."""
        self._heartbeat_s = heartbeat_s
        self._due_s = 0.0

    def do(self, now_s: float) -> None:
        """Write what is due, at a time (monotonic, seconds)."""
        if now_s >= self._due_s:
            self._due_s = now_s + self._heartbeat_s
            self._write(stopped=None)

    def start(self) -> None:
        """Write what is so at the start of a run, so that the end of the one before is past."""
        self._write(stopped=None)

    def stop(self, *, finished: bool) -> None:
        """Write what is so at the end of a run, when that was, and whether all was done."""
        self._write(stopped=iso(datetime.now(UTC)), finished=finished)

    def _write(self, *, stopped: str | None, finished: bool = False) -> None:
        written = {"written": iso(datetime.now(UTC)), "stopped": stopped, "finished": finished}
        said = {**self.said(), "heartbeat_s": self._heartbeat_s, **written}
        try:
            write_whole(self._path, json.dumps(said).encode(), durable=False)
        except NotReadyError:
            with suppress(OSError):
                os.utime(self._path)


def last_said(store: Path) -> tuple[Said, float]:
    """Return what the daemon said last and how long ago in seconds; nothing if it never did.

    What cannot be understood, it did not say.
    """
    path = store / STATUS_FILE
    with suppress(OSError, ValueError, RecursionError):
        said = json.loads(read_regular(path))
        if isinstance(said, dict):
            return understood(said), abs(time.time() - path.stat().st_mtime)
    return {}, 0.0
