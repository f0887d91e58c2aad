"""One file, whole, as a Sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import ClockRepair, record_us, to_us
from acoio.errors import DataError
from acoio.filename import parse_filename
from acoio.header import RECORD_SAMPLES
from acoio.reader import read_chunks
from acoio.record import Damage, Record
from acoio.sound import Gap, Joiner, Sound

_LONGEST: Final = timedelta(hours=1)  # a file that spans more has a clock that lies


def read(path: str | Path, *, rate_hz: float | None = None) -> Sound:
    """Return the whole sound of a file, `(n,)` int32 counts.

    Where records are missing or damaged between others, the samples are zero and
    `gaps` says so.
    `rate_hz` is the nominal rate; without it the file's name tells.

    Raises
    ------
    FilenameError
        If the name does not tell the rate and none is given.
    DataError
        If the file holds no sound at all, gaps of over an hour, or a clock that
        goes back: such a file is read record by record, with `read_chunks`.
    NotReadyError
        If the file cannot be read.
    """
    path = Path(path)
    rate = parse_filename(path).rate_hz if rate_hz is None else rate_hz
    damages: list[Damage] = []
    records = ClockRepair(rate).push(records_of(path, rate, damages))
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
    gaps = tuple(piece for piece in pieces if isinstance(piece, Gap))
    _check(gaps, path)
    blocks: list[NDArray[np.int32]] = []
    at: list[int] = []
    times_us: list[int] = []
    count = 0
    for piece in pieces:
        if isinstance(piece, Gap):
            samples = np.zeros(_gap_samples(piece, rate_hz), np.int32)
        else:
            samples = piece.samples
            at += [*range(count, count + len(samples), RECORD_SAMPLES), count + len(samples)]
            times_us += [*piece.marks_us.tolist(), to_us(piece.end)]
        blocks.append(samples)
        count += len(samples)
    every = np.arange(0, count, RECORD_SAMPLES)
    return Sound(
        samples=np.concatenate(blocks),
        rate_hz=rate_hz,
        marks_us=np.rint(np.interp(every, at, times_us)).astype(np.int64),
        gaps=gaps,
        file=path.name,
    )


def _check(gaps: Sequence[Gap], path: Path) -> None:
    for gap in gaps:
        if gap.end < gap.begin:
            raise DataError(
                f"{path}: found a clock that goes back {-gap.seconds:.3f} s at {gap.begin}"
            )
    if sum((gap.end - gap.begin for gap in gaps), timedelta()) > _LONGEST:
        seconds = sum(gap.seconds for gap in gaps)
        raise DataError(f"{path}: found gaps of {seconds:.0f} s in all, wanted under 1 h in a file")


def _gap_samples(gap: Gap, rate_hz: float) -> int:
    return round((to_us(gap.end) - to_us(gap.begin)) / record_us(rate_hz) * RECORD_SAMPLES)
