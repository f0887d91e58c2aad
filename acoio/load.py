"""One file, whole, as a Sound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from acoio.clock import ClockRepair, record_us, to_us
from acoio.errors import DataError
from acoio.filename import parse_filename
from acoio.header import RECORD_SAMPLES
from acoio.reader import read_chunks
from acoio.record import Damage, Record
from acoio.sound import Gap, Joiner, Sound

LONGEST_GAP: Final = timedelta(hours=1)
"""A longer gap within one file is a lie of its clock, and is not filled."""


def read(path: str | Path, *, rate_hz: float | None = None) -> Sound:
    """Return the whole sound of a file, `(n,)` int32 counts.

    Where records are missing or damaged the samples are zero and `gaps` says so.
    `rate_hz` is the nominal rate; without it the file's name tells.

    Raises
    ------
    FilenameError
        If the name does not tell the rate and none is given.
    DataError
        If the file holds no sound at all, or a gap longer than an hour.
    NotReadyError
        If the file cannot be read.
    """
    path = Path(path)
    rate = parse_filename(path).rate_hz if rate_hz is None else rate_hz
    damages: list[Damage] = []
    records = ClockRepair().push(records_of(path, rate, damages))
    pieces = list(Joiner(rate).push(records, path.name))
    if not pieces:
        why = damages[0].reason if damages else "it is empty"
        raise DataError(f"{path}: found no record of sound: {why}")
    return _joined(pieces, rate, path)


def records_of(path: Path, rate_hz: float, damages: list[Damage]) -> Iterator[Record]:
    """Yield the records of a file as it is now; what gave no sound is added to `damages`."""
    for chunk in read_chunks(path, rate_hz=rate_hz):
        damages += chunk.damages
        yield from chunk.records
    damages += [chunk.tail] if chunk.tail else []


def _joined(pieces: list[Sound | Gap], rate_hz: float, path: Path) -> Sound:
    blocks: list[np.ndarray[tuple[int], np.dtype[np.int32]]] = []
    at: list[int] = []
    marks: list[int] = []
    count = 0
    gaps = tuple(piece for piece in pieces if isinstance(piece, Gap))
    for piece in pieces:
        if isinstance(piece, Gap):
            samples = np.zeros(_gap_samples(piece, rate_hz, path), np.int32)
        else:
            samples = piece.samples
            at += range(count, count + len(samples), RECORD_SAMPLES)
            marks += piece.marks_us.tolist()
        blocks.append(samples)
        count += len(samples)
    every = np.arange(0, count, RECORD_SAMPLES)
    return Sound(
        samples=np.concatenate(blocks),
        rate_hz=rate_hz,
        marks_us=np.rint(np.interp(every, at, marks)).astype(np.int64),
        gaps=gaps,
        file=path.name,
    )


def _gap_samples(gap: Gap, rate_hz: float, path: Path) -> int:
    if gap.end - gap.begin > LONGEST_GAP:
        raise DataError(
            f"{path}: found a gap of {gap.seconds:.0f} s at {gap.begin}, wanted under 1 h"
        )
    length_us = to_us(gap.end) - to_us(gap.begin)
    return max(round(length_us / record_us(rate_hz) * RECORD_SAMPLES), 0)
