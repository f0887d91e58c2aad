"""A process beside the daemon that draws, encodes and writes, so that the loop never waits.

It is started for a few jobs and ends with them: its memory goes with it, and a drop
that hangs, or a library that crashes, costs no more than a job.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

import structlog

from daemon.helper import FOLDER, helper_command, helper_environ

_JOB_S: Final = 30.0  # each may take; a clip of five minutes takes one
_START_S: Final = 60.0
_STOP_S: Final = 2.0

Job = Mapping[str, Any]
"""`kind` says what is to be made: clip, picture or day; the rest of what."""

_log = structlog.get_logger()


class Work:
    """One process at a time, fed with jobs; `place` is what all jobs need to know."""

    def __init__(self, place: Mapping[str, Any]) -> None:
        self.place = dict(place)
        self._process: subprocess.Popen[str] | None = None
        self._jobs: Sequence[Job] = ()
        self._until_s = 0.0

    @property
    def busy(self) -> bool:
        """Whether jobs are being done, or their results wait."""
        return self._process is not None

    def start(self, jobs: Sequence[Job], now_s: float) -> None:
        """Begin with jobs, at a time (monotonic, seconds); there must be none already."""
        self._process = process = subprocess.Popen(
            helper_command("daemon.evidence.worker"),
            cwd=FOLDER,
            env=helper_environ(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._jobs, self._until_s = jobs, now_s + _START_S + _JOB_S * len(jobs)
        text = json.dumps({**self.place, "jobs": jobs})
        try:
            with _pipe(process.stdin) as pipe:
                pipe.write(text)
        except BrokenPipeError:
            return  # it ended at once: its exit code says so

    def results(self, now_s: float) -> list[dict[str, Any]] | None:
        """Return what became of the jobs that were done, in order, or None until it ends.

        Where it ended early, or wrote what is no result, the job that it was at has failed;
        those after are not told.
        """
        process = self._process
        if process is None:
            return None
        if process.poll() is None:
            if now_s >= self._until_s:
                process.kill()  # what hangs in a drop dies when that answers, and not before
            return None
        with _pipe(process.stdout) as pipe:
            done = list(_told(pipe))
        self._process = None
        if len(done) < len(self._jobs):
            code = process.returncode
            reason = f"its process ended with exit code {code}" if code else "it wrote no result"
            _log.warning("evidence failed", reason=reason)
            done.append({"outcome": "failed", "reason": reason})
        return done

    def stop(self) -> None:
        """End what is being done; it is done again another time."""
        if self._process is None:
            return
        self._process.kill()
        try:
            with _pipe(self._process.stdout):
                self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            _log.warning("a process hangs", process=self._process.pid)


def _told(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield results up to a line that is none: whose job the next ones are of, nobody knows."""
    for line in lines:
        try:
            result = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not (line.endswith("\n") and isinstance(result, dict) and "outcome" in result):
            return
        yield result


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
