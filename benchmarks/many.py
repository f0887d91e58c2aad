"""How long the commands take on a store of many events: python -m benchmarks.many --help.

It builds a store of so many events and files, and asks of it what people ask, each by a
process of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from daemon.ledger.ledger import open_ledger
from daemon.progress import FileProgress, Step
from detector.events import SEVERITIES
from detector.values import iso

_AT_ONCE = 10_000
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def main() -> None:
    """Measure it and print a line for each command."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--events", type=int, default=300_000)
    asked.add_argument("--files", type=int, default=0)
    wanted = asked.parse_args()
    with TemporaryDirectory() as folder:
        store = Path(folder)
        building = Process(target=build, args=(store, wanted.events, wanted.files))
        building.start()  # by itself: a child's memory is counted from that of its parent on
        building.join()
        ask(store)
        start(store)


def build(store: Path, events: int, files: int) -> None:
    """Fill a store with events, ten minutes apart, and with files that were read."""
    with open_ledger(store) as ledger:
        for first in range(0, events, _AT_ONCE):
            found = tuple(_event(k) for k in range(first, min(first + _AT_ONCE, events)))
            ledger.commit(Step(events=found), "ocean-v1-12345678")
        for first in range(0, files, _AT_ONCE):
            read = tuple(_file(k) for k in range(first, min(first + _AT_ONCE, files)))
            ledger.commit(Step(files=read), "ocean-v1-12345678")


def ask(store: Path) -> None:
    """Print what each command takes: seconds in all and of the processor, and memory."""
    since = iso(_BEGIN + timedelta(days=400))
    for words in (
        ("--help",),
        ("events", "list", "--limit", "5"),
        ("events", "show", f"{12345:016x}"),
        ("events", "list", "--limit", "5", "--severity", "major", "--min-score", "60"),
        ("events", "list", "--from", since, "--to", iso(_BEGIN + timedelta(days=401))),
        ("events", "list", "--json"),
        ("status",),
    ):
        _measure(words, () if words == ("--help",) else ("--store", str(store)))


def start(store: Path) -> None:
    """Print how long a daemon takes to open the ledger, and the memory it has then."""
    code = (
        "import sys, pathlib; from daemon.ledger.ledger import open_ledger\n"
        "with open_ledger(pathlib.Path(sys.argv[1])): pass"
    )
    _report("open_ledger", [sys.executable, "-c", code, str(store)])


def _measure(words: Sequence[str], more: Sequence[str]) -> None:
    _report(" ".join(words), [sys.executable, "-m", "daemon.cli", *words, *more])


def _report(name: str, command: Sequence[str]) -> None:
    begin_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall_s, cpu_s = time.monotonic() - begin_s, used.ru_utime + used.ru_stime
    print(
        f"{name[:60]:<60} exit {os.waitstatus_to_exitcode(status)} "
        f"{wall_s:6.2f} s {cpu_s:6.2f} s CPU {used.ru_maxrss / 1024:6.0f} MB",
        flush=True,
    )


def _event(k: int) -> dict[str, Any]:
    begin = _BEGIN + timedelta(minutes=10 * k)
    names: Iterator[str] = (iso(begin + timedelta(seconds=s)) for s in (0, 3, 9))
    times = dict(zip(("begin", "peak", "end"), names, strict=True))
    return {
        "id": f"{k:016x}", "status": "closed", **times, "score": 20.0 + k % 41,
        "mean_score": 18.0, "threshold": 17.2,
        "low_hz": 20.0 + k % 4000, "high_hz": 900.0 + k % 7000,
        "peak_hz": 400.0, "level_db": 9.5, "severity": SEVERITIES[k % len(SEVERITIES)],
        "model": "ocean-v1-12345678", "file": _file(k).name, "sample": 4096 * (k % 1700),
        "bout": f"{k:016x}", "clip": f"clips/{k:016x}.flac", "picture": f"pictures/{k:016x}.png",
    }  # fmt: skip


def _file(k: int) -> FileProgress:
    begin = _BEGIN + timedelta(minutes=5 * k)
    size = 11_000_000 + k % 1000
    return FileProgress(
        f"{begin:%Y/%m/%d/%Y-%m-%d--%H.%M}.HYD24BBpk", size, k, k << 30, size, 7_200_000, 1758,
        state="done", head=f"{k:064x}", head_bytes=4096, sha256=f"{k:064x}",
    )  # fmt: skip


if __name__ == "__main__":
    main()
