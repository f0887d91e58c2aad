"""A real daemon as a process of its own: start it, ask it, stop it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from acoio.errors import NotReadyError
from daemon.helper import FOLDER, helper_command, helper_environ

_READY_S: Final = 120.0
_ANSWER_S: Final = 5.0
_STOP_S: Final = 10.0
_POLL_S: Final = 0.05
_LOG_LINES: Final = 10


@dataclass(frozen=True, slots=True)
class Child:
    """A running daemon and the places it listens at."""

    process: subprocess.Popen[bytes]
    publish: str
    replay: str
    metrics: str
    log: Path

    def page(self) -> str:
        """Return its metrics page.

        Raises
        ------
        NotReadyError
            If it does not answer.
        """
        try:
            url = f"http://{self.metrics}/metrics"
            with urllib.request.urlopen(url, timeout=_ANSWER_S) as page:
                return str(page.read().decode())
        except (urllib.error.URLError, OSError) as error:
            raise NotReadyError(f"daemon at {self.metrics}: {error}") from error

    def check(self) -> None:
        """Look whether it still runs.

        Raises
        ------
        NotReadyError
            With the end of its log, if it does not.
        """
        if self.process.poll() is not None:
            lines = self.log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
            code = self.process.returncode
            raise NotReadyError("\n".join([f"the daemon ended with exit code {code}:", *lines]))

    def wait_ready(self) -> None:
        """Wait until it answers.

        Raises
        ------
        NotReadyError
            If it ends, or does not answer in time.
        """
        deadline_s = time.monotonic() + _READY_S
        while True:
            self.check()
            try:
                self.page()
            except NotReadyError:
                if time.monotonic() >= deadline_s:
                    raise
                time.sleep(_POLL_S)
            else:
                return

    def stop(self) -> int:
        """End it by SIGTERM, by SIGKILL if it must be, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(_STOP_S)


@contextmanager
def daemon_process(config: Path, *, log: Path) -> Iterator[Child]:
    """Give a daemon on free ports of this machine, and stop it at the end."""
    publish, replay, metrics = (f"127.0.0.1:{port}" for port in free_ports(3))
    command = [
        *helper_command("daemon.cli"), "run", "--config", str(config.absolute()),
        "--set", f"bus.publish=tcp://{publish}", "--set", f"bus.replay=tcp://{replay}",
        "--set", f"metrics.listen={metrics}",
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=FOLDER, env=helper_environ(os.environ),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out,
        )  # fmt: skip
        child = Child(process, f"tcp://{publish}", f"tcp://{replay}", metrics, log)
        try:
            yield child
        finally:
            child.stop()


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody had just now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
