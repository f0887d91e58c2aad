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
    NUMBERS,
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
_LIE: Final = "sample size does not lead to the next header"


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
    path: Path,
    byte: int = 0,
    *,
    sample: int = 0,
    rate_hz: float,
    limit: int = RECORDS_AT_ONCE,
    final: bool = True,
) -> Chunk:
    """Return up to `limit` whole records from `byte` on, in bounded memory.

    `sample` is how many samples of the file were read before `byte`.  A record is
    whole once the header after it shows, or the file ends with it; `final` says
    that the file will not grow, so that what cannot be told is told now.

    Raises
    ------
    NotReadyError
        If the file cannot be read now.
    DataError
        If it is no regular file.
    """
    most_bytes = limit * MAX_RECORD_BYTES + HEADER_BYTES
    data = _read(path, byte, most_bytes)
    at_end = len(data) < most_bytes
    begins, damages, end = _walk(data, limit, final=final and at_end)
    return Chunk(
        records=_parse(data, begins, byte, sample, rate_hz),
        damages=tuple(Damage(byte + d.byte, d.length_bytes, d.reason) for d in damages),
        next_byte=byte + end,
        tail=_tail(data, end, byte) if at_end and len(begins) < limit else None,
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
        where = f"{path}, byte {byte}" if byte else str(path)
        raise NotReadyError(f"{where}: {error.strerror}") from error


def _open_at_once(path: str, flags: int) -> int:
    """Open a regular file without ever waiting, as for the writer of a pipe."""
    handle = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise DataError(f"{path}: found no regular file")
    return handle


def _walk(data: _Bytes, limit: int, *, final: bool) -> tuple[list[int], list[Damage], int]:
    """Return where whole records begin, what was passed over, and where the walk ended."""
    begins: list[int] = []
    damages: list[Damage] = []
    at = 0
    while len(begins) < limit and at + HEADER_BYTES <= len(data):
        header = _header(data, at)
        if not plausible(header):
            at = _pass_over(data, at, at + 1, complaint(header), damages)
            continue
        end = at + HEADER_BYTES + BYTES_PER_BIT * int(header["SampleSize"])
        if end == len(data) or _header_at(data, end):
            begins.append(at)
            at = end
            continue
        # Nothing follows where the sample size says: it lies, or what follows is
        # damaged, or is not there yet.  The next header's number tells.
        reach = at + MAX_RECORD_BYTES + HEADER_BYTES
        found = _find_header(data[:reach], at + HEADER_BYTES)
        if found is not None and (end > len(data) or _is_next(data, at, found)):
            at = _pass_over(data, at, found, _LIE, damages)
        elif end < len(data) and (final or found is not None or reach <= len(data)):
            begins.append(at)
            at = end
        else:
            break
    return begins, damages, at


def _header(data: _Bytes, at: int) -> NDArray[np.void]:
    return data[at : at + HEADER_BYTES].view(OLD)[0]  # type: ignore[no-any-return]


def _header_at(data: _Bytes, at: int) -> bool:
    return at + HEADER_BYTES <= len(data) and bool(plausible(_header(data, at)))


def _is_next(data: _Bytes, at: int, found: int) -> bool:
    """Say whether the header found bears the number after that of the one at `at`."""
    number, after = int(_header(data, at)["Record"]), int(_header(data, found)["Record"])
    return after == (number + 1) % NUMBERS


def _pass_over(data: _Bytes, at: int, first: int, reason: str, damages: list[Damage]) -> int:
    """Note the damage from `at` to the first header from `first` on, and return where it is."""
    found = _find_header(data, first)
    until = len(data) - HEADER_BYTES + 1 if found is None else found
    damages.append(Damage(at, until - at, reason))
    return until


def _find_header(data: _Bytes, first: int) -> int | None:
    """Return the first place from `first` on where a header can stand, or None.

    One in 10^16 places of random bytes looks like a header, so the look of it is
    enough.
    """
    last = len(data) - HEADER_BYTES + 1
    length = MAX_RECORD_BYTES
    while first < last:
        headers = np.ndarray((min(length, last - first),), OLD, data, offset=first, strides=(1,))
        found = np.flatnonzero(plausible(headers))
        if found.size:
            return first + int(found[0])
        first, length = first + length, 2 * length
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
