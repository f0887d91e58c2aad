"""When a file's sound begins and ends, by its first and last header alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import begins_us, record_us
from acoio.errors import NotReadyError
from acoio.header import (
    BYTES_PER_BIT,
    HEADER_BYTES,
    MAX_BITS,
    MAX_RECORD_BYTES,
    NUMBERS,
    OLD,
    timed,
)
from acoio.reader import open_at_once

_FAR_US: Final = 1_000_000  # how far the clocks of a file that is well are not from its numbers
_BITS: Final = HEADER_BYTES - 1  # where the sample size stands


def span_us(path: Path, rate_hz: float) -> tuple[int, int] | None:
    """Return the begin and end (µs) of a file by its first and last header, or None.

    None where these two cannot be told without looking at all of it, or say another
    time than their record numbers, so that one of them may lie.  At the end,
    a sample size that leads exactly to the end of the file tells the last header.

    Raises
    ------
    NotReadyError, DataError
        As `read_index`.
    """
    first, last = _ends(path)
    sizes = HEADER_BYTES + BYTES_PER_BIT * np.arange(1, MAX_BITS + 1)
    at = len(last) - sizes[sizes <= len(last)]
    ends = last[at[:, None] + np.arange(HEADER_BYTES)]
    ends = ends[ends[:, _BITS] == np.arange(1, len(at) + 1)]
    both = np.frombuffer(first + ends.tobytes(), OLD) if len(first) == HEADER_BYTES else None
    if both is None or len(both) != 2 or not timed(both).all():
        return None
    begin_us, last_us = begins_us(both, rate_hz).tolist()
    first_number, last_number = both["Record"].tolist()
    counted_us = (last_number - first_number) % NUMBERS * record_us(rate_hz)
    if abs(last_us - begin_us - counted_us) > _FAR_US:
        return None
    return begin_us, last_us + round(record_us(rate_hz))


def _ends(path: Path) -> tuple[bytes, NDArray[np.uint8]]:
    """Return the first bytes of a file and its last, enough for a header and for a record."""
    try:
        handle = open_at_once(os.fspath(path), os.O_RDONLY)
        try:
            size_bytes = os.fstat(handle).st_size
            reach = min(MAX_RECORD_BYTES, size_bytes)
            first = os.pread(handle, HEADER_BYTES, 0)
            return first, np.frombuffer(os.pread(handle, reach, size_bytes - reach), np.uint8)
        finally:
            os.close(handle)
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
