"""Bytes that can be looked at anywhere: in memory, or in an open file."""

from __future__ import annotations

import os
import struct
from typing import Final, NamedTuple, Protocol

from acoio.header import HEADER_BYTES, MAX_RECORD_BYTES

_HEAD: Final = struct.Struct("<6I11xB")
_BEHIND_BYTES: Final = MAX_RECORD_BYTES  # a walk looks back a record at most
_WINDOW_BYTES: Final = 1 << 17


class Head(NamedTuple):
    """What every layout holds at the same bytes, and the two words that may repeat the number."""

    number: int
    word4: int
    word8: int
    tsec: int
    tusec: int
    ticks: int
    bits: int


class Source(Protocol):
    """Bytes that can be looked at anywhere."""

    size: int

    def head(self, at: int) -> Head:
        """Return the header at a byte."""

    def block(self, first: int, last: int) -> bytes:
        """Return the bytes [first, last)."""


class MemorySource:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data, self.size = data, len(data)

    def head(self, at: int) -> Head:
        """Return the header at a byte."""
        return Head._make(_HEAD.unpack_from(self._data, at))

    def block(self, first: int, last: int) -> bytes:
        """Return the bytes [first, last)."""
        return self._data[first:last]


class FileSource:
    """An open file, read a window at a time; `size` is that of now.

    A header lies on every page or two: reading them one by one would save the disk
    little, and costs more calls than there are bytes to copy.
    """

    def __init__(self, handle: int) -> None:
        self._handle, self.size = handle, os.fstat(handle).st_size
        self._first, self._held = 0, b""

    def head(self, at: int) -> Head:
        """Return the header at a byte; a file that has shrunk holds none there."""
        k = at - self._first
        if not 0 <= k <= len(self._held) - HEADER_BYTES:
            self._first = at if k > 0 else max(at - _BEHIND_BYTES, 0)
            self._held = self.block(self._first, self._first + _WINDOW_BYTES)
            k = at - self._first
        return Head._make(_HEAD.unpack_from(self._held, k))

    def block(self, first: int, last: int) -> bytes:
        """Return the bytes [first, last)."""
        return os.pread(self._handle, last - first, first).ljust(last - first, b"\0")
