"""The daemon at a station: live sound, a day of backlog, nothing to do; writes `STATION.md`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from acoio.simulate import OceanSettings, simulate_drop
from benchmarks import backlog, idle, live
from benchmarks.machine import processor
from benchmarks.run import BUSY
from benchmarks.timing import Row

RESULTS = Path(__file__).parent / "STATION.md"
SINGING = OceanSettings(calls_per_hour=360.0, snr_db=(10.0,))
LIVE_MINUTES = 20
ROWS = ["live", "backlog", "idle"]


def main() -> None:
    """Print the table as it comes; words choose rows: live, backlog, idle; all of them are kept."""
    wanted = sys.argv[1:] or ROWS
    with tempfile.TemporaryDirectory(prefix="kilokai-bench-") as folder:
        lines = []
        for line in report(Path(folder), wanted):
            print(line, flush=True)
            lines.append(line)
    if wanted == ROWS:
        RESULTS.write_text("\n".join(lines) + "\n")


def report(folder: Path, wanted: list[str]) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# Measured by `python -m benchmarks.station`"
    yield ""
    yield f"{processor()}; others were at work beside it. A real daemon process, real files"
    yield "and sockets, the model that comes with the project."
    yield ""
    yield "| what | measured | target |"
    yield "|---|---|---|"
    for what, measured, target in rows(folder, wanted):
        yield f"| {what} | {measured} | {target} |"


def rows(folder: Path, wanted: list[str]) -> Iterator[Row]:
    """Yield what was measured, the figure and its target."""
    if "live" in wanted:
        song = list(
            simulate_drop(folder / "song", seed=2, minutes=LIVE_MINUTES + 5, settings=SINGING)
        )
        yield from live.rows(song, folder / "fast", minutes=LIVE_MINUTES, speed=10.0)
        yield from live.rows(song, folder / "live", minutes=LIVE_MINUTES, speed=1.0)
    if "backlog" in wanted:
        hour = list(simulate_drop(folder / "hour", seed=1, minutes=60, settings=BUSY))
        yield from backlog.rows(hour, folder / "backlog")
    if "idle" in wanted:
        yield from idle.rows(folder / "idle")


if __name__ == "__main__":
    main()
