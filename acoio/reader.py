"""Records of a file, whole or still growing, a bounded piece at a time.

A damaged file costs only its damaged records: where a header cannot be true, the
reader looks for the next one that can, and says which bytes it passed over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acoio.clock import begins_us, from_us
from acoio.errors import DataError, NotReadyError
from acoio.header import (
    BYTES_PER_BIT,
    HEADER_BYTES,
    MAX_RECORD_BYTES,
    OLD,
    RECORD_SAMPLES,
    layout_of,
)
from acoio.holes import PAGE_BYTES
from acoio.record import Damage, Record
from acoio.unpack import unpack
from acoio.walk import REACH_BYTES, MemorySource, Place, header_stands, walk

RECORDS_AT_ONCE: Final = 512
_Bytes = NDArray[np.uint8]

Age: TypeAlias = Literal["young", "growing", "whole"]
"""Whether a file may still be filled, may still grow, or is complete."""

Fetch: TypeAlias = Callable[[int, int], bytes]
"""Gives, from a byte of a file on, up to so many bytes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one read gave: whole records, damage, and where the next read begins.

    `tail` is what lies at the end of the file and is no whole record (yet).
    """

    records: tuple[Record, ...]
    damages: tuple[Damage, ...]
    next_byte: int
    tail: Damage | None


def fetch_bytes(path: Path, byte: int, size_bytes: int) -> bytes:
    """Return up to so many bytes of a file, from `byte` on.

    Raises
    ------
    NotReadyError
        If the file cannot be read now.
    DataError
        If it is no regular file.
    """
    try:
        with open(path, "rb", opener=open_at_once) as file:
            file.seek(byte)
            return file.read(size_bytes)
    except OSError as error:
        where = f"{path}, byte {byte}" if byte else str(path)
        raise NotReadyError(f"{where}: {error.strerror}") from error


def open_at_once(path: str, flags: int) -> int:
    """Return a handle of a regular file, without ever waiting, as for the writer of a pipe.

    Raises
    ------
    DataError
        If it is no regular file.
    """
    handle = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DataError(f"{path}: found no regular file")
    return handle


def read_chunk(
    path: Path,
    byte: int = 0,
    *,
    sample: int = 0,
    rate_hz: float,
    limit: int = RECORDS_AT_ONCE,
    final: bool = True,
) -> Chunk:
    """Return up to `limit` whole records of a file from `byte` on, as `fetch_chunk`.

    Raises
    ------
    NotReadyError
        If the file cannot be read now.
    DataError
        If it is no regular file.
    """
    fetch = partial(fetch_bytes, path)
    age: Age = "whole" if final else "growing"
    return fetch_chunk(fetch, byte, sample=sample, rate_hz=rate_hz, limit=limit, age=age)


def fetch_chunk(
    fetch: Fetch,
    byte: int = 0,
    *,
    sample: int = 0,
    rate_hz: float,
    limit: int = RECORDS_AT_ONCE,
    age: Age = "whole",
) -> Chunk:
    """Return up to `limit` whole records from `byte` on, in bounded memory.

    `sample` is how many samples of the file were read before `byte`.  A record is
    whole once the header after it shows, or the file ends with it.  A "whole" file will
    not grow, so that what cannot be known is decided now; in a "young" one that grows,
    zeros may be bytes that are not there yet.
    """
    origin = max(0, byte - MAX_RECORD_BYTES)  # a header may be known by the one before it
    origin -= origin % PAGE_BYTES
    most_bytes = byte - origin + limit * MAX_RECORD_BYTES + 2 * REACH_BYTES
    data = fetch(origin, most_bytes)
    at_end = len(data) < most_bytes
    final, young = age == "whole" and at_end, age == "young"
    chunk = _chunk_of(data, byte - origin, limit, rate_hz, final=final, young=young)
    if not at_end:
        chunk = replace(chunk, tail=None)
    return _moved(chunk, origin, sample)


def chunk_of(data: bytes, *, start: int = 0, rate_hz: float, limit: int = RECORDS_AT_ONCE) -> Chunk:
    """Return up to `limit` whole records of a file's bytes from `start` on, as `read_chunk`."""
    return _chunk_of(data, start, limit, rate_hz, final=True)


def _chunk_of(
    data: bytes, start: int, limit: int, rate_hz: float, *, final: bool, young: bool = False
) -> Chunk:
    source = MemorySource(data)
    found = walk(source, start, limit, final=final, young=young)
    ended = max(len(found.places), len(found.damages)) < limit
    return Chunk(
        records=_parse(source, data, found.places, found.end, rate_hz),
        damages=tuple(found.damages),
        next_byte=found.end,
        tail=_tail(source, found.end) if ended else None,
    )


def _moved(chunk: Chunk, byte: int, sample: int) -> Chunk:
    """Return a chunk whose data began at `byte` of its file, after `sample` samples."""
    if not byte and not sample:
        return chunk
    return Chunk(
        tuple(replace(r, byte=r.byte + byte, sample=r.sample + sample) for r in chunk.records),
        tuple(replace(damage, byte=damage.byte + byte) for damage in chunk.damages),
        chunk.next_byte + byte,
        replace(chunk.tail, byte=chunk.tail.byte + byte) if chunk.tail else None,
    )


def read_chunks(path: Path, *, rate_hz: float, limit: int = RECORDS_AT_ONCE) -> Iterator[Chunk]:
    """Yield a file's chunks to its end; the last one gives nothing but its tail.

    Raises
    ------
    NotReadyError, DataError
        As `read_chunk`.
    """
    byte = sample = 0
    while True:
        chunk = read_chunk(path, byte, sample=sample, rate_hz=rate_hz, limit=limit)
        yield chunk
        if chunk.next_byte == byte:
            return
        byte, sample = chunk.next_byte, sample + RECORD_SAMPLES * len(chunk.records)


def _tail(source: MemorySource, at: int) -> Damage | None:
    """Return the record that the end of the file cuts off, if there is one."""
    found = source.size - at
    if found <= 0:  # it may have been cut short since
        return None
    wanted = HEADER_BYTES
    if found >= HEADER_BYTES:
        wanted += BYTES_PER_BIT * source.head(at).bits
    return Damage(at, found, f"short last record: found {found} bytes, wanted {wanted}")


def _parse(
    source: MemorySource, data: bytes, places: list[Place], end: int, rate_hz: float
) -> tuple[Record, ...]:
    if not places:
        return ()
    at = np.array([place.byte for place in places])
    widths = np.array([place.payload_bytes // BYTES_PER_BIT for place in places])
    array = np.frombuffer(data, np.uint8)
    headers = _headers(array, at)
    follows = _headers(array, np.array([end])) if header_stands(source, end) else headers[:0]
    layout, times = layout_of(np.concatenate([headers, follows])), begins_us(headers, rate_hz)
    samples = _samples(array, at + HEADER_BYTES, widths)
    return tuple(
        Record(
            number=place.head.number,
            begin=from_us(begin_us),
            bits=place.payload_bytes // BYTES_PER_BIT,
            samples=samples[k],
            raw=data[place.byte : place.byte + HEADER_BYTES],
            layout=layout,
            byte=place.byte,
            sample=k * RECORD_SAMPLES,
        )
        for k, (place, begin_us) in enumerate(zip(places, times.tolist(), strict=True))
    )


def _headers(data: _Bytes, at: NDArray[np.int_]) -> NDArray[np.void]:
    """Return the headers at some bytes, `(n,) → (n,) OLD`."""
    headers: NDArray[np.void] = data[at[:, None] + np.arange(HEADER_BYTES)].view(OLD)[:, 0]
    return headers


def _samples(data: _Bytes, at: NDArray[np.int_], widths: NDArray[np.int_]) -> NDArray[np.int32]:
    """Return the samples of records whose payloads begin at `at`, (n,) → (n, 4096).

    Records of a width are unpacked in one go, which is four times faster than
    one by one.
    """
    samples = np.empty((len(at), RECORD_SAMPLES), np.int32)
    for bits in np.unique(widths).tolist():
        rows = np.flatnonzero(widths == bits)
        size = BYTES_PER_BIT * bits
        payload = np.concatenate([data[k : k + size] for k in at[rows].tolist()])
        samples[rows] = unpack(payload, bits).reshape(-1, RECORD_SAMPLES)
    return samples
