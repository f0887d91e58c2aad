"""`make soak DAYS=30`: days of sound through one daemon at full speed, and its memory."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from acoio.simulate import simulate_drop
from benchmarks.feed import Feed
from benchmarks.machine import processor
from benchmarks.run import BUSY
from benchmarks.service import cpu_s, daemon_on, memory_mb, wait_done

RESULTS = Path(__file__).parent / "SOAK.md"
FILES_A_DAY = 288
FILES_A_LOOK = 12  # an hour of sound between two looks at the memory
FILES_A_LINE = 72
KEPT = 288  # files left in the drop, as an operator's own tidying would
WARM_DAYS = 0.25
PATIENCE_S = 600.0


def main() -> None:
    """Print a line for each quarter of a simulated day, and keep the table of what was found."""
    days = float(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="kilokai-soak-") as folder:
        page = report(Path(folder), days)
    print(page)
    RESULTS.write_text(page + "\n")


def report(folder: Path, days: float) -> str:
    """Return the page: what was run, and the memory from the first day to the last."""
    sound = list(simulate_drop(folder / "sound", seed=1, minutes=60, settings=BUSY))
    begin_s = time.monotonic()
    held_mb, helper_mb, busy_s = soak(Feed(sound), folder / "soak", days)
    spent_s = time.monotonic() - begin_s
    at = np.arange(1, len(held_mb) + 1) * FILES_A_LOOK / FILES_A_DAY
    warm = at > WARM_DAYS
    slope = np.polyfit(at[warm], np.asarray(held_mb)[warm], 1)[0]
    cpu = np.polyfit(at, busy_s, 1)[0]
    rows = [
        ("sound", f"{days:g} days, {days * FILES_A_DAY:.0f} files", ""),
        ("speed by the clock, making the files included", f"{days * 86_400 / spent_s:.0f} ×", ""),
        ("speed by the daemon's own CPU time", f"{86_400 / cpu:.0f} ×", "1000 ×"),
        ("resident memory after the first hour", f"{held_mb[0]:.0f} MB", ""),
        ("resident memory at most, at the end", _most(held_mb), "500 MB"),
        ("what the helper holds beside while it draws, at most", f"{max(helper_mb):.0f} MB", ""),
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


def _most(held_mb: list[float]) -> str:
    return f"{max(held_mb):.0f} MB, {held_mb[-1]:.0f} MB"


def soak(feed: Feed, folder: Path, days: float) -> tuple[list[float], list[float], list[float]]:
    """Return after each hour of sound the memory of a daemon and that of its helper (MB).

    And the CPU time of both together (s).
    """
    held_mb, helper_mb, spent_s = [], [], []
    with daemon_on(folder) as (child, drop):
        for first in range(0, round(days * FILES_A_DAY), FILES_A_LOOK):
            _deliver(feed, drop, first)
            wait_done(child, first + FILES_A_LOOK - 1, patience_s=PATIENCE_S)
            now_mb, beside_mb = memory_mb(child)
            held_mb.append(now_mb)
            helper_mb.append(beside_mb)
            spent_s.append(cpu_s(child))
            if not (first + FILES_A_LOOK) % FILES_A_LINE:
                told = f"{(first + FILES_A_LOOK) / FILES_A_DAY:g} days: {held_mb[-1]:.1f} MB"
                print(told, flush=True)
    return held_mb, helper_mb, spent_s


def _deliver(feed: Feed, drop: Path, first: int) -> None:
    for k in range(first, first + FILES_A_LOOK):
        name, content = feed.file(k)
        (drop / f".{name}").write_bytes(content)
        (drop / f".{name}").rename(drop / name)
    for path in sorted(drop.iterdir())[:-KEPT]:
        path.unlink()


if __name__ == "__main__":
    main()
