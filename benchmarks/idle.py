"""What the daemon costs when there is nothing to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np

from acoio.filename import FileName
from acoio.header import RECORD_SAMPLES
from acoio.writer import encode_records, record_begins_us
from benchmarks.feed import BEGIN
from benchmarks.service import cpu_s, daemon_on, wait_done
from benchmarks.timing import Row

WATCHED_S = 180.0  # three of the longest pauses between scans
FINISHED = 10_000
PATIENCE_S = 1200.0
_LONG_AGO_S = 86_400.0


def rows(folder: Path, *, finished: int = FINISHED) -> Iterator[Row]:
    """Yield the share of one core with an empty drop, and with many finished files in it."""
    for count in (0, finished):
        percent = idle_percent(folder / str(count), count)
        what = f"idle, {count} finished files in the drop: share of one core"
        yield what, f"{percent:.2f} %", "1 %"


def idle_percent(folder: Path, count: int) -> float:
    """Return the CPU time of an idle daemon over wall time, in percent."""
    drop = folder / "drop"
    drop.mkdir(parents=True)
    _fill(drop, count)
    with daemon_on(folder) as (child, _):
        wait_done(child, count, patience_s=PATIENCE_S)
        time.sleep(5.0)  # what the last file left to do
        begin_s, before_s = time.monotonic(), cpu_s(child)
        time.sleep(WATCHED_S)
        return 100.0 * (cpu_s(child) - before_s) / (time.monotonic() - begin_s)


def _fill(drop: Path, count: int) -> None:
    """Make files of one record each, five minutes apart, that nobody has written to for long."""
    samples = np.random.default_rng(0).normal(0, 1_000, RECORD_SAMPLES).astype(np.int32)
    for k in range(count):
        begin = BEGIN + timedelta(minutes=5) * k
        path = drop / str(FileName(begin))
        times_us = record_begins_us(begin, 0, 1)
        path.write_bytes(encode_records(samples, begins_us=times_us, first_number=0))
        written_s = time.time() - _LONG_AGO_S
        os.utime(path, (written_s, written_s))
