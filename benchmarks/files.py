"""Files: whole, by their headers, and a piece from the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from acoio.header import RECORD_SAMPLES
from acoio.index import read_index
from acoio.load import examine, read, read_span
from acoio.writer import encode_records, record_begins_us
from benchmarks.decoder import SAMPLES
from benchmarks.timing import Row, median_ms

SNIPPET = 4 * 24_000
NAME = "2024-03-01--06.00.HYD24BBpk"


def rows(folder: Path) -> Iterator[Row]:
    """Yield how long a five-minute file, its headers, and four seconds of it take."""
    path = _made(folder)
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
        yield what, f"{median_ms(work):.1f} ms", target


def _made(folder: Path) -> Path:
    count = SAMPLES // RECORD_SAMPLES
    samples = np.random.default_rng(0).normal(0, 6_000, SAMPLES).astype(np.int32)
    begins = record_begins_us(datetime(2024, 3, 1, 6, tzinfo=UTC), 0, count)
    path = folder / NAME
    path.write_bytes(encode_records(samples, begins_us=begins, first_number=0))
    return path
