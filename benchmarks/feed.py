"""A feed of any length out of an hour of sound: the same samples again, the clocks going on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from acoio.clock import record_us
from acoio.filename import FileName
from acoio.header import BYTES_PER_BIT, HEADER_BYTES, RECORD_SAMPLES
from acoio.load import read
from acoio.writer import encode_records, record_begins_us

FILE_S = 300.0
BEGIN = datetime.fromisoformat("2024-03-01T06:00:00Z")
_LEAD = timedelta(milliseconds=620)  # as real files, each begins a little before its name's minute


class Feed:
    """Files as the recorder would write them, one each five minutes, of the samples of others."""

    def __init__(self, files: Sequence[Path]) -> None:
        whole = [read(path).samples for path in files]
        self._records = np.concatenate(whole).reshape(-1, RECORD_SAMPLES)

    def file(self, k: int) -> tuple[str, bytes]:
        """Return the name and the bytes of the file number `k`."""
        first, until = _first_record(k), _first_record(k + 1)
        where = np.arange(first, until) % len(self._records)
        content = encode_records(
            self._records[where].reshape(-1),
            begins_us=record_begins_us(BEGIN - _LEAD, first, until - first),
            first_number=first,
        )
        return str(FileName(BEGIN + timedelta(seconds=k * FILE_S))), content


def _first_record(k: int) -> int:
    return math.ceil(k * FILE_S * 1e6 / record_us())


def records(content: bytes) -> Iterator[bytes]:
    """Yield each record of a file's bytes, its header before it."""
    at = 0
    while at < len(content):
        end = at + HEADER_BYTES + BYTES_PER_BIT * content[at + HEADER_BYTES - 1]
        yield content[at:end]
        at = end
