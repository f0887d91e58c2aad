"""`make soak DAYS=30`: days of sound through one daemon at full speed, and its memory."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from acoio.simulate import simulate_drop
from benchmarks.feed import Feed
from benchmarks.machine import processor
from benchmarks.run import BUSY
from benchmarks.service import daemon_on, wait_done

RESULTS = Path(__file__).parent / "SOAK.md"
FILES_A_DAY = 288
FILES_A_LOOK = 12  # an hour of sound between two looks at the memory
KEPT = 288  # files left in the drop, as an operator's own tidying would
WARM_DAYS = 0.25
PATIENCE_S = 600.0


def main() -> None:
    """Print a line for each simulated day, and keep the table of what was found."""
    days = float(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="kilokai-soak-") as folder:
        page = report(Path(folder), days)
    print(page)
    RESULTS.write_text(page + "\n")


def report(folder: Path, days: float) -> str:
    """Return the page: what was run, and the memory from the first day to the last."""
    sound = list(simulate_drop(folder / "sound", seed=1, minutes=60, settings=BUSY))
    begin_s = time.monotonic()
    memory_mb = soak(Feed(sound), folder / "soak", days)
    spent_s = time.monotonic() - begin_s
    at = np.arange(1, len(memory_mb) + 1) * FILES_A_LOOK / FILES_A_DAY
    warm = at > WARM_DAYS
    slope = np.polyfit(at[warm], np.asarray(memory_mb)[warm], 1)[0]
    rows = [
        ("sound", f"{days:g} days, {days * FILES_A_DAY:.0f} files", ""),
        ("speed, the making of the files included", f"{days * 86_400 / spent_s:.0f} ×", ""),
        ("resident memory after the first hour", f"{memory_mb[0]:.0f} MB", ""),
        ("resident memory at most, at the end", _most(memory_mb), "500 MB"),
        (f"slope after {WARM_DAYS * 24:g} hours", f"{slope:+.2f} MB a simulated day", "flat"),
    ]
    return "\n".join(
        [
            "# Measured by `make soak`",
            "",
            f"{processor()}; others were at work beside it. One hour of simulated ocean with",
            "120 calls an hour, again and again with clocks that go on; files in the drop are",
            f"removed once {KEPT} newer ones are done.",
            "",
            "| what | measured | target |",
            "|---|---|---|",
            *(f"| {what} | {figure} | {target} |" for what, figure, target in rows),
        ]
    )


def _most(memory_mb: list[float]) -> str:
    return f"{max(memory_mb):.0f} MB, {memory_mb[-1]:.0f} MB"


def soak(feed: Feed, folder: Path, days: float) -> list[float]:
    """Return the resident memory of a daemon after each hour of sound, in MB."""
    memory_mb = []
    with daemon_on(folder) as (child, drop):
        process = psutil.Process(child.process.pid)
        for first in range(0, round(days * FILES_A_DAY), FILES_A_LOOK):
            _deliver(feed, drop, first)
            wait_done(child, first + FILES_A_LOOK - 1, patience_s=PATIENCE_S)
            memory_mb.append(process.memory_info().rss / 1e6)
            if not (first + FILES_A_LOOK) % FILES_A_DAY:
                print(f"day {(first + FILES_A_LOOK) // FILES_A_DAY}: {memory_mb[-1]:.1f} MB")
    return memory_mb


def _deliver(feed: Feed, drop: Path, first: int) -> None:
    for k in range(first, first + FILES_A_LOOK):
        name, content = feed.file(k)
        (drop / f".{name}").write_bytes(content)
        (drop / f".{name}").rename(drop / name)
    for path in sorted(drop.iterdir())[:-KEPT]:
        path.unlink()


if __name__ == "__main__":
    main()
