"""Where a file's records lie and what their headers say, without their samples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import begins_us
from acoio.errors import NotReadyError
from acoio.header import BYTES_PER_BIT, HEADER_BYTES, OLD, layout_of
from acoio.reader import open_at_once
from acoio.record import Damage
from acoio.source import Head
from acoio.walk import FileSource, Place, walk

DAMAGES_KEPT: Final = 1000
"""Damages that are told one by one; a file of nothing but damage costs no more memory."""

_AT_ONCE: Final = 4096  # places and damages of one walk
_VOTES: Final = 64  # headers that say the layout


@dataclass(frozen=True, slots=True, eq=False)
class FileIndex:
    """The records of a file, in order, from a walk over their headers.

    `byte` (n,) int64 is where each header lies, `payload_bytes` (n,) int64 how many
    bytes of samples follow it, `headers` (n,) what every layout holds at the same
    bytes (dtype `OLD`; other fields are zero).  Of the damages the first
    `DAMAGES_KEPT` are told, all are counted.
    """

    size_bytes: int
    byte: NDArray[np.int64]
    payload_bytes: NDArray[np.int64]
    headers: NDArray[np.void]
    layout: str
    damages: tuple[Damage, ...]
    damage_count: int
    damaged_bytes: int
    end_byte: int

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self.byte)

    @property
    def bits(self) -> NDArray[np.int64]:
        """The bits of each record's samples, (n,); 32 where they are unpacked."""
        return self.payload_bytes // BYTES_PER_BIT

    def begins_us(self, rate_hz: float) -> NDArray[np.int64]:
        """Return the UTC time of each record's first sample by its header, `(n,) µs`."""
        return begins_us(self.headers, rate_hz)


def read_index(path: Path, *, records: int | None = None) -> FileIndex:
    """Return the index of a file as it is now, or of its first `records` records.

    Only headers are read, and what must be searched after damage.

    Raises
    ------
    NotReadyError
        If the file cannot be read.
    DataError
        If it is no regular file.
    """
    with _opened(path) as source:
        places: list[Place] = []
        damages: list[Damage] = []
        count = damaged = at = 0
        while records is None or len(places) < records:
            left = _AT_ONCE if records is None else min(_AT_ONCE, records - len(places))
            found = walk(source, at, left, final=True)
            places += found.places
            damages += found.damages[: DAMAGES_KEPT - len(damages)]
            count += len(found.damages)
            damaged += sum(damage.length_bytes for damage in found.damages)
            if found.end == at:
                break
            at = found.end
        layout = layout_of(_first_headers(source, places))
    return FileIndex(
        size_bytes=source.size,
        byte=np.array([place.byte for place in places], np.int64),
        payload_bytes=np.array([place.payload_bytes for place in places], np.int64),
        headers=_common(places),
        layout=layout,
        damages=tuple(damages),
        damage_count=count,
        damaged_bytes=damaged,
        end_byte=at,
    )


@contextmanager
def _opened(path: Path) -> Iterator[FileSource]:
    try:
        handle = open_at_once(os.fspath(path), os.O_RDONLY)
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    try:
        yield FileSource(handle)
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    finally:
        os.close(handle)


def _first_headers(source: FileSource, places: list[Place]) -> NDArray[np.void]:
    raw = b"".join(source.block(p.byte, p.byte + HEADER_BYTES) for p in places[:_VOTES])
    return np.frombuffer(raw, OLD)


def _common(places: list[Place]) -> NDArray[np.void]:
    """Return what the walk read of each header, `(n,) OLD`."""
    headers = np.zeros(len(places), OLD)
    heads = np.fromiter(chain.from_iterable(place.head for place in places), np.int64)
    names = ("Record", "Record_Duplicate", "tSec", "tuSec", "timecount", "SampleSize")
    for name, column in zip(names, (0, 2, 3, 4, 5, 6), strict=True):
        headers[name] = heads[column :: len(Head._fields)]
    return headers


def jumps(index: FileIndex) -> list[int]:
    """Return the records, counted from 0, whose number is not one more than that before."""
    numbers = index.headers["Record"].astype(np.int64).tolist()
    return [k + 1 for k, (a, b) in enumerate(pairwise(numbers)) if (b - a) % (1 << 32) != 1]
