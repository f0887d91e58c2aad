"""Faults at system calls: strace holds a living daemon and lets calls fail, or kills it there."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults.life import Life, until


@contextmanager
def traced(
    life: Life,
    calls: str,
    injection: str = "",
    *,
    paths: Sequence[Path] = (),
    out: Path | None = None,
) -> Iterator[None]:
    """Trace a life that is held (or runs) until the end of the block, and let it go on.

    `injection` is strace's, as "error=EIO:when=1"; with `paths` only calls on them count.
    """
    said = life.log.with_suffix(".strace")
    command = [
        "strace",
        "-f",
        "-p",
        str(life.pid),
        "-e",
        f"trace={calls}",
        "-o",
        str(out or "/dev/null"),
    ]
    if injection:
        command += ["-e", f"inject={calls}:{injection}"]
    for path in paths:
        command += ["-P", str(path)]
    with said.open("wb") as log:
        tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
    try:
        until(lambda: b"attached" in said.read_bytes(), "strace is attached")
        life.signal(signal.SIGCONT)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        try:
            tracer.wait(0.5)
        except subprocess.TimeoutExpired:  # it waits for threads that died while it held them
            tracer.kill()
            tracer.wait()
