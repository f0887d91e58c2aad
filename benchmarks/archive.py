"""An archive by time: finding an instant among 100,000 files, a snippet, a month's pass."""

from __future__ import annotations

import math
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from acoio.archive import ACOio
from acoio.catalogue import Catalogue
from acoio.clock import record_us
from acoio.filename import FileName
from acoio.header import RECORD_SAMPLES
from acoio.writer import encode_records, record_begins_us
from benchmarks.timing import Row, median_ms

BEGIN = datetime(2018, 10, 1, tzinfo=UTC)
FIVE = timedelta(minutes=5)
MANY = 100_000
MONTH_FILES = 31 * 288
SHORT_RECORDS = 3
FULL_RECORDS = 1758
REPEATS = 21
TREE = "%Y/%m/%d"
BLOCK_MB = 28.8
SETTLED = 10


def rows(folder: Path) -> Iterator[Row]:
    """Yield what was measured, the figure and its target."""
    fill(folder / "full", 24, FULL_RECORDS)
    fill(folder / "month", MONTH_FILES, SHORT_RECORDS)
    names(folder / "tree", TREE)
    names(folder / "flat", "")
    first, peak = alone(folder / "full", 24)
    what = "blocks over two hours of whole files: peak memory after ten, at the end"
    yield what, f"{first:.0f} MB, {peak:.0f} MB", f"flat (a block is {BLOCK_MB:g} MB)"
    begin_s = time.perf_counter()
    first, peak = alone(folder / "month", MONTH_FILES)
    spent_s = time.perf_counter() - begin_s
    what = f"blocks over a month of {MONTH_FILES} files: peak memory after ten, at the end"
    yield what, f"{first:.0f} MB, {peak:.0f} MB ({spent_s:.0f} s)", "flat"
    for kind in ("tree", "flat"):
        cold, warm = finding_ms(folder / kind)
        what = f"find an instant in a {kind} of {MANY} files: first time, later"
        yield what, f"{cold:.1f} ms, {warm:.2f} ms", ""
    cold, warm = snippet_ms(folder / "full")
    what = "load 4 s from the middle of a five-minute file: a new loader, the same one"
    yield what, f"{cold:.1f} ms, {warm:.1f} ms", "5 ms warm"
    loader = ACOio(folder / "full")
    yield "load five minutes over two files", f"{median_ms(lambda: loader.load(BEGIN)):.0f} ms", ""
    what = "coverage of a five-minute file, headers alone"
    yield what, f"{median_ms(loader.coverage) / 24:.1f} ms", ""


def fill(folder: Path, count: int, records: int) -> None:
    """Write genuine files, one every five minutes, of so many records each."""
    samples = np.random.default_rng(1).normal(0, 400, records * RECORD_SAMPLES).astype(np.int32)
    starts = [math.ceil(k * 300e6 / record_us()) for k in range(count + 1)]
    for k in range(count):
        named = BEGIN + k * FIVE
        path = folder / f"{named:{TREE}}" / str(FileName(named))
        path.parent.mkdir(parents=True, exist_ok=True)
        first, here = starts[k], min(records, starts[k + 1] - starts[k])
        begins_us = record_begins_us(BEGIN, first, here)
        content = encode_records(
            samples[: here * RECORD_SAMPLES], begins_us=begins_us, first_number=first, bits=13
        )
        path.write_bytes(content)


def names(folder: Path, tree: str) -> None:
    """Make empty files of so many names."""
    for k in range(MANY):
        named = BEGIN + k * FIVE
        path = (
            folder / f"{named:{tree}}" / str(FileName(named))
            if tree
            else folder / str(FileName(named))
        )
        if k % 288 == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def alone(folder: Path, count: int) -> tuple[float, float]:
    """Return `pass_mb` as a new process finds it, whose memory holds nothing else."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(pass_mb, folder, count).result()


def pass_mb(folder: Path, count: int) -> tuple[float, float]:
    """Return the peak memory after `SETTLED` blocks and after all of them, in MB."""
    settled = 0.0
    for k, block in enumerate(ACOio(folder).blocks(BEGIN, BEGIN + count * FIVE)):
        assert len(block.samples)
        if k == SETTLED:
            settled = peak_mb()
    return settled, peak_mb()


def peak_mb() -> float:
    """Return the peak of this process's resident memory, in MB."""
    status = Path("/proc/self/status").read_text()
    peak_kb = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    return int(peak_kb) * 1024 / 1e6


def finding_ms(folder: Path) -> tuple[float, float]:
    """Return the milliseconds of finding an instant with nothing remembered, and of others."""
    catalogue = Catalogue(folder)

    def find(k: int) -> float:
        when = BEGIN + (k * 7919 % MANY) * FIVE
        begin_s = time.perf_counter()
        assert catalogue.named(when, when)
        return 1e3 * (time.perf_counter() - begin_s)

    cold = []
    for k in range(REPEATS):
        catalogue.forget()
        cold.append(find(k))
    for k in range(REPEATS):
        find(k)
    return statistics.median(cold), statistics.median(find(k) for k in range(REPEATS))


def snippet_ms(folder: Path) -> tuple[float, float]:
    """Return the milliseconds of a snippet by a new loader and by one that knows the file."""
    begin, duration = BEGIN + timedelta(minutes=62, seconds=30), timedelta(seconds=4)
    cold = median_ms(lambda: ACOio(folder).load(begin, duration))
    loader = ACOio(folder)
    loader.load(begin, duration)
    return cold, median_ms(lambda: loader.load(begin + timedelta(seconds=20), duration))
