"""Bytes that are not there yet: zeros in a file that shows its size before its content (pure).

A network mount may show a new size first and its bytes a moment later; a copier may
reserve the whole file and fill it in any order.  Until then zeros stand there, which
a file that is complete seldom has: a header is never zeros, and so many samples of
exactly 0 only come of a hydrophone that is silent, a whole record at a time.
"""

from __future__ import annotations

import re
from typing import Final

PAGE_BYTES: Final = 4096  # no file system and no copier leaves a smaller hole within a record
_FEW: Final = bytes(16)  # more zeros than a header has in a row
_PAGE: Final = bytes(PAGE_BYTES)
_RUN: Final = re.compile(rb"\x00{%d,}" % PAGE_BYTES)
_BY_CHANCE: Final = 8  # zeros of the sound beside a hole


def has_zeros(data: bytes) -> bool:
    """Return True if some bytes hold more zeros in a row than a header or a sample explains."""
    return _FEW in data


def ends_in_zeros(data: bytes) -> bool:
    """Return True if the last bytes are such zeros."""
    return data.endswith(_FEW)


def is_blank(data: bytes) -> bool:
    """Return True if there are no bytes but zeros."""
    return not data.strip(b"\0")


def holes_in(data: bytes) -> tuple[tuple[int, int], ...]:
    """Return the runs of zeros, [first, last), that begin and end with a page of the file.

    `data` begins with a page.  A stretch of silence within a record begins and ends
    anywhere.
    """
    if _PAGE not in data:
        return ()
    runs = [(run.start(), run.end()) for run in _RUN.finditer(data)]
    return tuple(
        (first, last)
        for first, last in runs
        if -first % PAGE_BYTES <= _BY_CHANCE and last % PAGE_BYTES <= _BY_CHANCE
    )
