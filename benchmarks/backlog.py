"""A day of files that waits while the daemon was away."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.feed import FILE_S, Feed
from benchmarks.service import daemon_on, wait_done
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
        begin_s = time.monotonic()
        wait_done(child, waiting - 1, patience_s=PATIENCE_S)  # the last one may still grow
        spent_s = time.monotonic() - begin_s
    ratio = waiting * FILE_S / spent_s
    hours = waiting * FILE_S / 3600
    what = f"catching up with {hours:g} hours of backlog ({waiting} files), the daemon being ready"
    yield what, f"{spent_s / 60:.1f} minutes ({ratio:.0f} × real time)", "minutes"
