"""A day of files that waits while the daemon was away."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.feed import FILE_S, Feed
from benchmarks.service import cpu_s, daemon_on, wait_done
from benchmarks.timing import Row

FILES = 288
PATIENCE_S = 1800.0


def rows(files: Sequence[Path], folder: Path, *, waiting: int = FILES) -> Iterator[Row]:
    """Yield how long the daemon takes for a day that lies there when it starts."""
    feed = Feed(files)
    drop = folder / "drop"
    drop.mkdir(parents=True)
    for k in range(waiting):
        name, content = feed.file(k)
        (drop / name).write_bytes(content)
    with daemon_on(folder) as (child, _):
        begin_s, before_s = time.monotonic(), cpu_s(child)
        wait_done(child, waiting - 1, patience_s=PATIENCE_S)  # the last one may still grow
        spent_s, cpu = time.monotonic() - begin_s, cpu_s(child) - before_s
    sound_s = waiting * FILE_S
    what = f"catching up with {sound_s / 3600:g} hours of backlog ({waiting} files), once ready"
    by_clock = f"{spent_s / 60:.1f} minutes ({sound_s / spent_s:.0f} × real time)"
    yield what, f"{by_clock}, {cpu / 60:.1f} of a core ({sound_s / cpu:.0f} ×)", "minutes"
