"""Files: `python -m benchmarks.files [FILE]`, what was measured and its target.

Decoding a five-minute file is held against a copy of its samples in memory, once
into memory that is there already, once into new memory, as the decoder writes, and
against the plain `unpackbits` method.  FILE is a real file to open a piece of; without one a
file of 16-bit noise is made.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from acoio.header import RECORD_SAMPLES
from acoio.index import read_index
from acoio.load import examine, read, read_span
from acoio.unpack import pack, unpack
from acoio.writer import encode_records, record_begins_us
from benchmarks.decoder import SAMPLES, plain

WIDTHS = range(8, 25)
REPEATS = 7
SNIPPET = 4 * 24_000
NAME = "2024-03-01--06.00.HYD24BBpk"

Row = tuple[str, str, str]


def main() -> None:
    """Print a table of rows."""
    with tempfile.TemporaryDirectory(prefix="kilokai-bench-") as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else _made(Path(folder))
        for what, measured, target in rows(path):
            print(f"| {what} | {measured} | {target} |", flush=True)


def rows(path: Path) -> Iterator[Row]:
    """Yield what was measured, the figure and its target."""
    yield from decoder_rows()
    yield from piece_rows(path)


def decoder_rows() -> Iterator[Row]:
    """Yield the decoder's time at each width against a copy and the plain method."""
    for bits in WIDTHS:
        low, high = -(1 << (bits - 1)), 1 << (bits - 1)
        samples = np.random.default_rng(bits).integers(low, high, SAMPLES).astype(np.int32)
        payload, there = pack(samples, bits), np.zeros_like(samples)
        assert np.array_equal(unpack(payload, bits), samples)
        ours = _median_ms(partial(unpack, payload, bits))
        copy, new = _median_ms(partial(np.copyto, there, samples)), _median_ms(samples.copy)
        slow = _median_ms(partial(plain, payload, bits), repeats=1)
        figure = f"{ours:.1f} ms, {ours / copy:.1f} × ({ours / new:.1f} × into new memory)"
        yield f"decoder, {bits} bits, five minutes: time, copies of the samples", figure, "8 ×"
        yield f"decoder, {bits} bits, against `unpackbits`", f"{slow / ours:.0f} × faster", "20 ×"


def piece_rows(path: Path) -> Iterator[Row]:
    """Yield how long a file, its headers, and four seconds from its middle take."""
    middle = len(read(path).samples) // 2
    works: list[tuple[str, Callable[[], object], str]] = [
        ("file, whole, as a Sound", lambda: read(path), ""),
        ("file, headers only", lambda: read_index(path), ""),
        ("file, report on it", lambda: examine(path), ""),
        (
            "file, four seconds from the middle, warm",
            lambda: read_span(path, middle, middle + SNIPPET),
            "5 ms",
        ),
    ]
    for what, work, target in works:
        yield what, f"{_median_ms(work):.1f} ms", target


def _made(folder: Path) -> Path:
    count = SAMPLES // RECORD_SAMPLES
    samples = np.random.default_rng(0).normal(0, 6_000, SAMPLES).astype(np.int32)
    begins = record_begins_us(datetime(2024, 3, 1, 6, tzinfo=UTC), 0, count)
    path = folder / NAME
    path.write_bytes(encode_records(samples, begins_us=begins, first_number=0))
    return path


def _median_ms(work: Callable[[], object], repeats: int = REPEATS) -> float:
    work()
    spent = []
    for _ in range(repeats):
        begin_s = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - begin_s))
    return statistics.median(spent)


if __name__ == "__main__":
    main()
