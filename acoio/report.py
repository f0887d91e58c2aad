"""What a file holds and what it could not give: bytes, records, reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np

from acoio.audio_file import is_audio
from acoio.audio_report import AudioReport, examine_audio
from acoio.clock import from_us, record_us
from acoio.clock_errors import ClockErrors, known_clock_errors
from acoio.filename import rate_of
from acoio.header import BYTES_PER_BIT, HEADER_BYTES, NUMBERS, RECORD_SAMPLES
from acoio.index import FileIndex, jumps, read_index

FAULTS_KEPT: Final = 1000
"""Faults that a report tells one by one; beyond them it only counts."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a file: where, at which record, what, and why.

    `number` is the record's, or that of the last record before damaged bytes (None
    before the first).  `count` is how many records a "skipped" fault lacks.
    """

    kind: Literal["repeated", "skipped", "damaged", "cut off"]
    byte: int
    length_bytes: int
    number: int | None
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """A file as its headers tell it.

    `bits` counts records by their sample width, `begin` and `end` are by the
    header's clock as it stands, and `clock_error_s` is how much too much that clock
    is known to say.  `faults` are in the order of the file, `fault_count` says how
    many there are if there are too many to tell.
    """

    file: str
    size_bytes: int
    rate_hz: float
    layout: str
    unpacked: bool
    records: int
    samples: int
    bits: tuple[tuple[int, int], ...]
    begin: datetime | None
    end: datetime | None
    clock_error_s: float
    repeated: int
    skipped: int
    damaged_bytes: int
    faults: tuple[Fault, ...]
    fault_count: int


def examine(
    path: str | Path, *, rate_hz: float | None = None, clock_errors: ClockErrors | None = None
) -> FileReport | AudioReport:
    """Return what a file holds: an `AudioReport` of WAV, FLAC and MP3, else a `FileReport`.

    Of a file of the observatory only the headers are read.  `clock_errors` is the
    table that `clock_error_s` is from, the known errors if none is given.

    Raises
    ------
    FilenameError
        If the name does not tell the rate and none is given.
    NotReadyError
        If the file cannot be read.
    DataError
        If it is no regular file.
    """
    path = Path(path)
    if is_audio(path):
        return examine_audio(path, rate_hz=rate_hz)
    return examine_records(path, rate_hz=rate_hz, clock_errors=clock_errors)


def examine_records(
    path: Path, *, rate_hz: float | None = None, clock_errors: ClockErrors | None = None
) -> FileReport:
    """Return what a file of the observatory holds, as `examine`."""
    rate = rate_of(path) if rate_hz is None else rate_hz
    table = known_clock_errors() if clock_errors is None else clock_errors
    index = read_index(path)
    order = list(_faults(index))
    times = index.begins_us(rate)
    begin = from_us(int(times[0])) if len(index) else None
    lost = index.damaged_bytes + index.size_bytes - index.end_byte
    return FileReport(
        file=path.name,
        size_bytes=index.size_bytes,
        rate_hz=rate,
        layout=index.layout,
        unpacked=bool(np.any(index.bits != index.headers["SampleSize"])),
        records=len(index),
        samples=len(index) * RECORD_SAMPLES,
        bits=tuple(sorted(Counter(index.bits.tolist()).items())),
        begin=begin,
        end=from_us(int(times[-1]) + round(record_us(rate))) if len(index) else None,
        clock_error_s=table.file_error_s(begin) if begin else 0.0,
        repeated=sum(fault.kind == "repeated" for fault in order),
        skipped=sum(fault.count for fault in order if fault.kind == "skipped"),
        damaged_bytes=lost,
        faults=tuple(order[:FAULTS_KEPT]),
        fault_count=len(order) + index.damage_count - len(index.damages),
    )


def _faults(index: FileIndex) -> list[Fault]:
    """Return all that is wrong, in the order of the file."""
    faults = [*_out_of_step(index), *_damaged(index)]
    left = index.size_bytes - index.end_byte
    if left:
        number = _number_before(index, index.end_byte)
        reason = f"short last record: found {left} bytes"
        faults.append(Fault("cut off", index.end_byte, left, number, 1, reason))
    return sorted(faults, key=lambda fault: fault.byte)


def _out_of_step(index: FileIndex) -> Iterator[Fault]:
    numbers = index.headers["Record"].astype(np.int64)
    for k in jumps(index):
        before, number, byte = int(numbers[k - 1]), int(numbers[k]), int(index.byte[k])
        ahead = (number - before) % NUMBERS
        found = f"found number {number} after {before}"
        if 1 < ahead < NUMBERS // 2:
            yield Fault("skipped", byte, 0, number, ahead - 1, found)
        else:
            size = HEADER_BYTES + int(index.payload_bytes[k])
            yield Fault("repeated", byte, size, number, 1, found)


def _damaged(index: FileIndex) -> Iterator[Fault]:
    for damage in index.damages:
        number = _number_before(index, damage.byte)
        count = max(damage.length_bytes // (HEADER_BYTES + BYTES_PER_BIT * 32), 1)
        yield Fault("damaged", damage.byte, damage.length_bytes, number, count, damage.reason)


def _number_before(index: FileIndex, byte: int) -> int | None:
    k = int(np.searchsorted(index.byte, byte)) - 1
    return int(index.headers["Record"][k]) if k >= 0 else None
