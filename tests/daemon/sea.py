"""Files for the daemon's tests: a simulated sea in short files, and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from acoio.filename import FileName, parse_filename
from acoio.header import BYTES_PER_BIT, HEADER_BYTES

MINUTES_A_FILE = 2


@dataclass(frozen=True)
class Sea:
    """Records of one stretch of sound, each with its header."""

    begin: datetime
    records: tuple[bytes, ...]

    def cut(self, minutes: float = MINUTES_A_FILE) -> Iterator[tuple[str, bytes]]:
        """Yield names and contents of files of so many minutes."""
        each = round(minutes * 60 / 0.1706657)
        for k in range(0, len(self.records), each):
            begin = self.begin + timedelta(minutes=minutes) * (k // each)
            yield str(FileName(begin)), b"".join(self.records[k : k + each])


def records_of(data: bytes) -> Iterator[bytes]:
    """Yield each record of a sound file's bytes."""
    at = 0
    while at < len(data):
        end = at + HEADER_BYTES + BYTES_PER_BIT * data[at + HEADER_BYTES - 1]
        yield data[at:end]
        at = end


def sea_of(files: Sequence[Path]) -> Sea:
    """Return the records of files that follow each other."""
    records = [record for path in files for record in records_of(path.read_bytes())]
    return Sea(parse_filename(files[0]).begin, tuple(records))


def noise(size: int) -> bytes:
    """Return bytes that are no recording."""
    return np.random.default_rng(5).bytes(size)


def with_bits(record: bytes, bits: int) -> bytes:
    """Return a record whose header lies about its sample size."""
    return record[: HEADER_BYTES - 1] + bytes([bits]) + record[HEADER_BYTES:]
