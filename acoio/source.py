"""Bytes that can be looked at anywhere: in memory, or in an open file."""

from __future__ import annotations

import os
import struct
from typing import Final, NamedTuple, Protocol

from acoio.header import HEADER_BYTES

_HEAD: Final = struct.Struct("<6I11xB")


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
        return Head(*_HEAD.unpack_from(self._data, at))

    def block(self, first: int, last: int) -> bytes:
        """Return the bytes [first, last)."""
        return self._data[first:last]


class FileSource:
    """An open file, of which only what is looked at is read; `size` is that of now."""

    def __init__(self, handle: int) -> None:
        self._handle, self.size = handle, os.fstat(handle).st_size
        self._at, self._last = -1, Head(0, 0, 0, 0, 0, 0, 0)  # a walk asks for each header twice

    def head(self, at: int) -> Head:
        """Return the header at a byte; a file that has shrunk holds none there."""
        if at != self._at:
            raw = os.pread(self._handle, HEADER_BYTES, at)
            if len(raw) < HEADER_BYTES:
                raw = raw.ljust(HEADER_BYTES, b"\0")
            self._at, self._last = at, Head(*_HEAD.unpack(raw))
        return self._last

    def block(self, first: int, last: int) -> bytes:
        """Return the bytes [first, last)."""
        return os.pread(self._handle, last - first, first).ljust(last - first, b"\0")
