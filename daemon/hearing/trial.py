"""Reads a file in a process beside, to find out whether it is the file that ends the daemon.

`python -P -m daemon.hearing.trial` reads the file that its standard input names as the daemon
does, to its end, in bounded memory, and prints where it is after each piece.
"""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from acoio.errors import DataError, NotReadyError
from acoio.reader import read_chunks
from daemon.helper import FOLDER, helper_command, helper_environ
from detector.config import FeatureSettings
from detector.events import EventSettings
from detector.scoring.listen import Listener
from detector.values import Score, Window

COMMAND = helper_command("daemon.hearing.trial")
_START_S: Final = 300.0  # torch takes seconds, on a busy machine many
_SILENT_S: Final = 30.0  # half of what the watchdog of systemd allows; a piece takes a tenth
_SLICE_S: Final = 0.05
_MOST_BYTES: Final = 4 << 30  # of memory: it needs a tenth


@dataclass(frozen=True)
class Trial:
    """One process, and what it may take; `alive` is called with what shows that it gets on."""

    meanwhile: Callable[[], bool]
    alive: Callable[[int], object]
    silent_s: float = _SILENT_S

    def trouble(self, path: Path, rate_hz: float) -> str:
        """Return how the process ended or hung at a file, or nothing if it read it all.

        Raises
        ------
        NotReadyError
            If nobody waits any longer, or the process did not come so far as to read.
        """
        with subprocess.Popen(
            COMMAND,
            cwd=FOLDER,
            env=helper_environ(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            try:
                return self._outcome(process, path, rate_hz)
            finally:
                process.kill()

    def _outcome(self, process: subprocess.Popen[bytes], path: Path, rate_hz: float) -> str:
        assert process.stdin
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(json.dumps({"path": os.fsencode(path).hex(), "rate_hz": rate_hz}).encode())
        if not self._line(process, _START_S, starting=True):
            raise NotReadyError(f"{path}: the process that was to try it did not start")
        while line := self._line(process, self.silent_s):
            self.alive(int(line))
        if process.poll() is None and line is None:
            return f"reading it alone got nowhere for {self.silent_s:g} s"
        code = process.wait()
        return f"reading it alone ended with exit code {code}" if code else ""

    def _line(
        self, process: subprocess.Popen[bytes], wait_s: float, *, starting: bool = False
    ) -> bytes | None:
        """Return the next line, b"" at the end of the process, None if it is silent so long."""
        assert process.stdout
        begin_s = time.monotonic()
        while (waited_s := time.monotonic() - begin_s) < wait_s:
            if select.select([process.stdout], [], [], _SLICE_S)[0]:
                return process.stdout.readline()
            if not self.meanwhile():
                raise NotReadyError("a file is tried in a process beside: left while waiting")
            if starting:
                self.alive(-int(waited_s) - 1)
        return None


class _Mute:
    """Stands in for a scorer: no sound ends a network whose input has one shape."""

    def __init__(self, rate_hz: float) -> None:
        self.features = FeatureSettings(rate_hz=rate_hz)

    def event_settings(self, station: str) -> EventSettings:
        return EventSettings(station, "", 0.0, 0.0, ())

    def score(self, _windows: Sequence[Window]) -> list[Score]:
        return []


def main() -> None:
    """Read a file to its end, and make windows of its sound."""
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
    given = json.load(sys.stdin)
    path, rate_hz = Path(os.fsdecode(bytes.fromhex(given["path"]))), given["rate_hz"]
    listener = Listener(_Mute(rate_hz), station="trial")  # type: ignore[arg-type]
    _print(0)
    with suppress(DataError, NotReadyError):  # which the daemon lives through
        for chunk in read_chunks(path, rate_hz=rate_hz):
            listener.push(chunk.records, path.name)
            _print(chunk.next_byte)


def _print(byte: int) -> None:
    os.write(sys.stdout.fileno(), f"{byte}\n".encode())


if __name__ == "__main__":
    main()
