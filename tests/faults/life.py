"""One life of a daemon: a real process, started by fork or by exec, killed in every way."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).parents[2]
_PATIENCE_S: Final = 90.0
_POLL_S: Final = 0.02
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class LateError(AssertionError):
    """What had to come true did not, in time."""


def until(fact: Callable[[], Any], what: str, *, deadline_s: float = _PATIENCE_S) -> Any:
    """Wait for a fact and return it."""
    end_s = time.monotonic() + deadline_s
    while not (found := fact()):
        if time.monotonic() >= end_s:
            raise LateError(f"{what}: not within {deadline_s:g} s")
        time.sleep(_POLL_S)
    return found


@dataclass(frozen=True)
class Order:
    """How a life begins: `words` of the command, and what is done to the process before it."""

    words: Sequence[str]
    log: Path
    out: Path = Path("/dev/null")
    environ: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    hook: str = ""
    plain: bool = False  # without root's right to override the modes of files
    held: bool = False

    def as_json(self) -> str:
        return json.dumps({**vars(self), "log": str(self.log), "out": str(self.out)})


class Zygote:
    """The process that forks daemons."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT, env=environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._answer()

    def born(self, order: Order) -> int:
        return int(self._asked(order.as_json())["pid"])

    def reap(self, pid: int) -> int:
        return int(self._asked(json.dumps({"reap": pid}))["code"])

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait(_PATIENCE_S)

    def _asked(self, text: str) -> dict[str, Any]:
        pipe = _open(self._process.stdin)
        pipe.write(text + "\n")
        pipe.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        return dict(json.loads(_open(self._process.stdout).readline()))


class Life:
    """A process and its end."""

    def __init__(self, pid: int, reap: Callable[[], int], log: Path, metrics: str) -> None:
        self.pid = pid
        self.log = log
        self._metrics = metrics
        self._reap = reap
        self._end = os.pidfd_open(pid)
        self.code: int | None = None

    def signal(self, number: int) -> None:
        if self.code is None:
            signal.pidfd_send_signal(self._end, number)

    def kill(self) -> int:
        """Kill it, and wait until what it started has died with it: that holds files, too."""
        with ExitStack() as stack:
            children = [stack.enter_context(handle) for handle in self._children()]
            self.signal(signal.SIGKILL)
            code = self.wait()
            for child in children:
                select.select([child], [], [], _PATIENCE_S)
        return code

    def _children(self) -> Iterator[IO[bytes]]:
        for task in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with suppress(OSError):
                for child in map(int, task.read_text().split()):
                    with suppress(OSError):  # it ended by itself meanwhile
                        yield os.fdopen(os.pidfd_open(child), "rb")

    def stop(self) -> int:
        """End it by SIGTERM and return its exit code."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        return self.wait(15.0)

    def ended(self) -> bool:
        return self.code is not None or bool(select.select([self._end], [], [], 0)[0])

    def wait(self, deadline_s: float = _PATIENCE_S) -> int:
        """Return its exit code; a negative one is the signal that ended it."""
        if self.code is None:
            if not select.select([self._end], [], [], deadline_s)[0]:
                raise LateError(f"the daemon did not end within {deadline_s:g} s")
            self.code = self._reap()
            os.close(self._end)
        return self.code

    def page(self, timeout_s: float = 5.0) -> str:
        with urllib.request.urlopen(f"http://{self._metrics}/metrics", timeout=timeout_s) as page:
            return str(page.read().decode())

    def metric(self, name: str) -> float:
        """Return a metric by its name, with its labels as the page has them."""
        for line in self.page().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"metrics: no {name}")

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def ready(self) -> Life:
        """Wait until it answers, and return it."""
        until(lambda: self.ended() or self._answers(), "the daemon is ready")
        if self.ended():
            raise AssertionError(f"the daemon ended with {self.wait()}: {self.said()[-800:]}")
        return self

    def _answers(self) -> bool:
        try:
            return bool(self.page())
        except OSError:
            return False

    def status(self, key: str) -> int:
        """Return a number of /proc/PID/status, as VmRSS (kB) or Threads."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(f"{key}:")).split()[1])

    def held(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def handles(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())


def forked(zygote: Zygote, order: Order, metrics: str) -> Life:
    pid = zygote.born(order)
    return Life(pid, lambda: zygote.reap(pid), order.log, metrics)


def executed(prefix: Sequence[str], order: Order, metrics: str, *, loud: bool = True) -> Life:
    """Start by exec behind other commands, as `unshare`; `loud` scores need no model."""
    module = "tests.daemon.loud_daemon" if loud else "daemon.cli"
    with order.log.open("ab") as log:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", module, *order.words],
            cwd=ROOT, env=environ() | order.environ, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log,
        )  # fmt: skip
    return Life(process.pid, process.wait, order.log, metrics)


def environ() -> dict[str, str]:
    return {**os.environ, **_ONE_THREAD}


def _open(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
