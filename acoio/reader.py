"""Records of a file, whole or still growing, a bounded piece at a time.

A damaged file costs only its damaged records: where a header cannot be true, the
reader looks for the next one that can, and says which bytes it passed over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
    complaint,
    layout_of,
    plausible,
)
from acoio.record import Damage, Record
from acoio.unpack import unpack

RECORDS_AT_ONCE: Final = 512
_Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one read gave: whole records, damage, and where the next read begins.

    `tail` is what lies at the end of the file and is no whole record (yet).
    """

    records: tuple[Record, ...]
    damages: tuple[Damage, ...]
    next_byte: int
    tail: Damage | None


def read_chunk(
    path: Path, byte: int = 0, *, sample: int = 0, rate_hz: float, limit: int = RECORDS_AT_ONCE
) -> Chunk:
    """Return up to `limit` whole records from `byte` on, in bounded memory.

    `sample` is how many samples of the file were read before `byte`.

    Raises
    ------
    NotReadyError
        If the file cannot be read now.
    DataError
        If it is no regular file.
    """
    most_bytes = limit * MAX_RECORD_BYTES + HEADER_BYTES
    data = _read(path, byte, most_bytes)
    spans, damages, end = _walk(data, limit)
    at_end = len(data) < most_bytes and len(spans) < limit
    return Chunk(
        records=_parse(data, spans, byte, sample, rate_hz),
        damages=tuple(Damage(byte + d.byte, d.length_bytes, d.reason) for d in damages),
        next_byte=byte + end,
        tail=_tail(data, end, byte) if at_end else None,
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


def _tail(data: _Bytes, at: int, byte: int) -> Damage | None:
    """Return the record that the end of the file cuts off, if there is one."""
    found = len(data) - at
    if not found:
        return None
    wanted = HEADER_BYTES
    if found >= HEADER_BYTES:
        wanted += BYTES_PER_BIT * int(_header(data, at)["SampleSize"])
    return Damage(byte + at, found, f"short last record: found {found} bytes, wanted {wanted}")


def _read(path: Path, byte: int, size_bytes: int) -> _Bytes:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            file.seek(byte)
            return np.frombuffer(file.read(size_bytes), np.uint8)
    except OSError as error:
        raise NotReadyError(f"{path}, byte {byte}: {error.strerror}") from error


def _open_at_once(path: str, flags: int) -> int:
    """Open a regular file without ever waiting, as for the writer of a pipe."""
    handle = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DataError(f"{path}: found no regular file")
    return handle


def _walk(data: _Bytes, limit: int) -> tuple[list[int], list[Damage], int]:
    """Return where whole records begin, what was passed over, and where the walk ended."""
    begins: list[int] = []
    damages: list[Damage] = []
    at = 0
    while len(begins) < limit and at + HEADER_BYTES <= len(data):
        header = _header(data, at)
        if not plausible(header):
            at = _pass_over(data, at, complaint(header), damages)
            continue
        end = at + HEADER_BYTES + BYTES_PER_BIT * int(header["SampleSize"])
        if end > len(data):
            if (found := _find_header(data, at + HEADER_BYTES)) is None:
                break
            at = _damage(damages, at, found, "sample size does not lead to the next header")
            continue
        if _lies(data, at, end):
            at = _pass_over(data, at, "sample size does not lead to the next header", damages)
            continue
        begins.append(at)
        at = end
    return begins, damages, at


def _header(data: _Bytes, at: int) -> NDArray[np.void]:
    return data[at : at + HEADER_BYTES].view(OLD)[0]  # type: ignore[no-any-return]


def _lies(data: _Bytes, at: int, end: int) -> bool:
    """Say whether the record at `at` has a sample size that cannot be true.

    It has if no header stands where it says, while the header that bears the
    next number stands elsewhere.
    """
    if end + HEADER_BYTES > len(data) or plausible(_header(data, end)):
        return False
    found = _find_header(data, at + HEADER_BYTES)
    if found is None:
        return False
    return bool(_header(data, found)["Record"] == _header(data, at)["Record"] + 1)


def _pass_over(data: _Bytes, at: int, reason: str, damages: list[Damage]) -> int:
    found = _find_header(data, at + 1)
    return _damage(damages, at, len(data) - HEADER_BYTES + 1 if found is None else found, reason)


def _damage(damages: list[Damage], at: int, until: int, reason: str) -> int:
    damages.append(Damage(at, until - at, reason))
    return until


def _find_header(data: _Bytes, first: int) -> int | None:
    """Return the first place from `first` on where a header can stand, or None."""
    count = len(data) - HEADER_BYTES + 1 - first
    if count <= 0:
        return None
    headers = np.ndarray((count,), OLD, data, offset=first, strides=(1,))
    for found in np.flatnonzero(plausible(headers)):
        at = first + int(found)
        end = at + HEADER_BYTES + BYTES_PER_BIT * int(data[at + HEADER_BYTES - 1])
        if end + HEADER_BYTES > len(data) or plausible(_header(data, end)):
            return at
    return None


def _parse(
    data: _Bytes, begins: list[int], byte: int, sample: int, rate_hz: float
) -> tuple[Record, ...]:
    if not begins:
        return ()
    at = np.asarray(begins)
    headers = data[at[:, None] + np.arange(HEADER_BYTES)].copy().view(OLD)[:, 0]
    widths = headers["SampleSize"]
    layout, times = layout_of(headers), begins_us(headers, rate_hz)
    samples = _samples(data, at + HEADER_BYTES, widths)
    return tuple(
        Record(
            number=int(header["Record"]),
            begin=from_us(int(times[k])),
            bits=int(widths[k]),
            samples=samples[k],
            raw=header.tobytes(),
            layout=layout,
            byte=byte + begins[k],
            sample=sample + k * RECORD_SAMPLES,
        )
        for k, header in enumerate(headers)
    )


def _samples(data: _Bytes, at: NDArray[np.int_], widths: NDArray[np.uint8]) -> NDArray[np.int32]:
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
