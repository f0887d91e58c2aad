"""The daemon as a process: peak memory, and from a file's arrival to its first message."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from daemon.client import Subscriber
from daemon.demo.child import Child, daemon_process

PATIENCE_S = 120.0
UNSCORED_S = 65.0  # the first minute and the last window
_LOOK_S = 0.1


@contextmanager
def daemon_on(folder: Path) -> Iterator[tuple[Child, Path]]:
    """Give a ready daemon and the drop that it watches."""
    drop, config = folder / "drop", folder / "kilokai.toml"
    drop.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f"[drop]\npath = {json.dumps(str(drop))}\n[store]\n"
        f"path = {json.dumps(str(folder / 'store'))}\n"
    )
    with daemon_process(config, log=folder / "log") as child:
        child.wait_ready()
        yield child, drop


def peak_memory_mb(files: list[Path], folder: Path) -> tuple[float, float]:
    """Return resident memory when ready and at its peak, over all of these files, in MB."""
    with daemon_on(folder) as (child, drop):
        process = psutil.Process(child.process.pid)
        idle = process.memory_info().rss
        for path in files:
            (drop / path.name).hardlink_to(path)
        wait_scored(child, 290.0 * len(files))
        status = Path(f"/proc/{child.process.pid}/status").read_text()
        peak_kb = int(next(line for line in status.splitlines() if "VmHWM" in line).split()[1])
    return idle / 1e6, peak_kb * 1024 / 1e6


def arrival_s(files: list[Path], folder: Path) -> tuple[float, float, float]:
    """Return least, median and most seconds from a file's arrival to its first event's message.

    The first file fills the memory of the chain; each later one is moved in when
    all before is scored.  Files that hold no event are left out.
    """
    spent = []
    with (
        daemon_on(folder) as (child, drop),
        Subscriber(child.publish, child.replay, timeout=0.5) as subscriber,
    ):
        for k, path in enumerate(files):
            begin_s = time.monotonic()
            path.rename(drop / path.name)
            first = next(iter(subscriber), None)
            if k and first is not None and first["file"] == path.name:
                spent.append(time.monotonic() - begin_s)
            wait_scored(child, 290.0 * (k + 1) - 62.0)
            for _ in subscriber:
                pass
    return min(spent), statistics.median(spent), max(spent)


def cpu_s(child: Child) -> float:
    """Return how long a daemon has had a core so far, with all of its threads and helpers."""
    spent_s = 0.0
    for process in _family(child):
        with suppress(psutil.NoSuchProcess):  # a helper that just ended counts with its parent
            times = process.cpu_times()
            spent_s += times.user + times.system + times.children_user + times.children_system
    return spent_s


def memory_mb(child: Child) -> tuple[float, float]:
    """Return the resident memory of a daemon, and what its helpers hold for themselves beside."""
    daemon, *helpers = _family(child)
    beside = 0.0
    for helper in helpers:
        with suppress(psutil.NoSuchProcess):
            beside += helper.memory_full_info().uss
    return daemon.memory_info().rss / 1e6, beside / 1e6


def _family(child: Child) -> list[psutil.Process]:
    daemon = psutil.Process(child.process.pid)
    return [daemon, *daemon.children(recursive=True)]


def wait_scored(child: Child, seconds: float, *, patience_s: float = PATIENCE_S) -> None:
    """Wait until so much sound was heard, but for the minute that fills the chain's memory."""
    fact = "kilokai_scored_seconds_total"
    wait_for(
        lambda: metric(child.page(), fact) >= seconds - UNSCORED_S, child, patience_s=patience_s
    )


def wait_done(child: Child, files: int, *, patience_s: float) -> None:
    """Wait until so many files are done."""
    fact = 'kilokai_files_total{outcome="done"}'
    wait_for(lambda: metric(child.page(), fact) >= files, child, patience_s=patience_s)


def wait_for(fact: Callable[[], bool], child: Child, *, patience_s: float = PATIENCE_S) -> None:
    """Wait for a fact about a daemon, as long as it runs.

    Raises
    ------
    TimeoutError
        If it does not come true in time.
    """
    deadline_s = time.monotonic() + patience_s
    while not fact():
        child.check()
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"daemon: not there after {patience_s:.0f} s")
        time.sleep(_LOOK_S)


def metric(page: str, name: str) -> float:
    """Return the value of one series of a metrics page."""
    line = next(x for x in page.splitlines() if x.startswith(f"{name} "))
    return float(line.rpartition(" ")[2])
