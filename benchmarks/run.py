"""`make bench`: measure, and write `benchmarks/RESULTS.md`."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy
import torch

from acoio.simulate import OceanSettings, simulate_drop
from benchmarks import archive, bus, decoder, mixture, network
from benchmarks import files as sound_files
from benchmarks.chain import stage_ms, times_real_time
from benchmarks.machine import processor
from benchmarks.service import arrival_s, peak_memory_mb

RESULTS = Path(__file__).parent / "RESULTS.md"
MINUTES = 60
BUSY = OceanSettings(calls_per_hour=120.0)


def main() -> None:
    """Print the table as it comes, and keep it."""
    with tempfile.TemporaryDirectory(prefix="kilokai-bench-") as folder:
        lines = []
        for line in report(Path(folder)):
            print(line, flush=True)
            lines.append(line)
    RESULTS.write_text("\n".join(lines) + "\n")


def report(folder: Path) -> Iterator[str]:
    """Yield the lines of the table."""
    files = list(simulate_drop(folder / "sound", seed=1, minutes=MINUTES, settings=BUSY))
    yield "# Measured by `make bench`"
    yield ""
    yield f"{processor()}; Linux, Python {platform.python_version()}, torch {torch.__version__},"
    yield f"numpy {numpy.__version__}. Simulated ocean with 120 calls an hour, seed 1; medians,"
    yield "with the least and the most."
    yield ""
    yield "| what | measured | target |"
    yield "|---|---|---|"
    for what, measured, target in rows(files, folder):
        yield f"| {what} | {measured} | {target} |"


def rows(files: list[Path], folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield what was measured, the figure and its target."""
    for threads, cores, target in ((1, "one core", "500 ×"), (2, "two cores", "")):
        low, median, high = times_real_time(files, threads)
        what = f"whole chain, five-minute file, {cores}: times real time"
        yield what, f"{median:.0f} × ({low:.0f}–{high:.0f})", target
    for stage, spent_ms in stage_ms(files).items():
        yield f"{stage}, five-minute file, one core", f"{spent_ms:.0f} ms", ""
    ready, peak = peak_memory_mb(files, folder / "memory")
    what = f"daemon, peak memory over {MINUTES} minutes of sound"
    yield what, f"{peak:.0f} MB ({ready:.0f} when ready)", "700 MB"
    low, median, high = arrival_s(files, folder / "arrival")
    yield "from a file moved in to its first message", f"{median:.2f} s ({low:.2f}–{high:.2f})", ""
    yield from bus.rows()
    yield from decoder.rows()
    yield from sound_files.rows(folder)
    yield from archive.rows(folder / "archive")
    yield from mixture.rows()
    yield from network.rows()


if __name__ == "__main__":
    main()
