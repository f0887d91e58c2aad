"""Small feeds for tests: genuine records with known samples."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acoio.clock import record_us, to_us
from acoio.header import RECORD_SAMPLES
from acoio.writer import encode_records

RATE_HZ = 24_000.0
BEGIN = datetime(2024, 3, 1, 6, 0, tzinfo=UTC)
NAME = "2024-03-01--06.00.HYD24BBpk"


def noise(records: int, *, seed: int = 0, deviation: float = 500.0) -> NDArray[np.int32]:
    """Return whole records of Gaussian noise in counts."""
    generator = np.random.default_rng(seed)
    return generator.normal(0, deviation, records * RECORD_SAMPLES).astype(np.int32)


def begins_us(records: int, *, begin: datetime = BEGIN) -> NDArray[np.int64]:
    """Return record times at the true rate."""
    return np.asarray(to_us(begin) + np.rint(np.arange(records) * record_us(RATE_HZ)), np.int64)


def feed(samples: NDArray[np.int32], *, layout: str = "new", bits: int | None = None) -> bytes:
    """Return the bytes of a file of these samples."""
    times = begins_us(len(samples) // RECORD_SAMPLES)
    return encode_records(samples, begins_us=times, first_number=7, layout=layout, bits=bits)


def write_feed(folder: Path, content: bytes, name: str = NAME) -> Path:
    """Write bytes as a file of the drop."""
    path = folder / name
    path.write_bytes(content)
    return path
