"""One file as a Sound: whole, or a piece from its middle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.audio import is_audio, read_audio
from acoio.clock import JUMP_US, MEMORY_RECORDS, ClockRepair, from_us, record_us, to_us
from acoio.clock_errors import ClockErrors
from acoio.errors import DataError
from acoio.filename import parse_filename
from acoio.header import RECORD_SAMPLES
from acoio.index import FileIndex, read_index
from acoio.join import Joiner
from acoio.reader import read_chunk, read_chunks
from acoio.record import Damage, Record
from acoio.report import Fault, FileReport, examine
from acoio.sound import Gap, Sound

__all__ = ["Fault", "FileReport", "examine", "read", "read_span", "records_of", "shifted"]

_LONGEST: Final = timedelta(minutes=30)  # six files; one with gaps that spans more lies
_MOST_ZEROS: Final = 1 << 26  # samples of gaps in a file at any rate: 256 MiB, 11 min at 96 kHz
_NO_SAMPLES: Final = np.zeros(0, np.int32)


def read(
    path: str | Path, *, rate_hz: float | None = None, clock_errors: ClockErrors | None = None
) -> Sound:
    """Return the whole sound of a file, `(n,)` int32 counts.

    A file of the observatory, of any layout; or WAV, FLAC or MP3, as `read_audio`
    reads them.  Where records are missing or damaged between others, the samples
    are zero and `gaps` says so.
    `rate_hz` is the nominal rate; without it the file's name tells.  Times are those
    of the file's clock as it stands; with a table of its errors, the whole file is
    put right by what the table says of its begin (`known_clock_errors()`).

    Raises
    ------
    FilenameError
        If the name does not tell the rate and none is given.
    DataError
        If the file holds no sound at all, gaps and over 30 minutes from begin
        to end, or a clock that goes back: such a file is read record by record, with `read_chunks`.
    NotReadyError
        If the file cannot be read.
    """
    path = Path(path)
    if is_audio(path):
        return read_audio(path, rate_hz=rate_hz)
    rate = parse_filename(path).rate_hz if rate_hz is None else rate_hz
    damages: list[Damage] = []
    records = ClockRepair(rate).push(records_of(path, rate, damages))
    first: list[Record] = []
    pieces = list(Joiner(rate).push(_noting(records, first), path.name))
    if not pieces:
        why = damages[0].reason if damages else "it is empty"
        raise DataError(f"{path}: found no record of sound: {why}")
    sound = _joined(pieces, rate, path)
    return shifted(sound, -clock_errors.file_error_s(first[0].begin)) if clock_errors else sound


def read_span(
    path: str | Path,
    first_sample: int,
    last_sample: int,
    *,
    rate_hz: float | None = None,
    clock_errors: ClockErrors | None = None,
) -> Sound:
    """Return the samples [first_sample, last_sample) of a file without decoding the rest.

    Samples are counted as the file holds them, as `Record.sample` and an event's
    `sample` are: records that it lacks are not counted, and where some are lacking
    within the span, zeros stand for them and `gaps` says so.  The headers before the
    span are walked, and no others; times are the same as those of `read`.

    Raises
    ------
    IndexError
        If the file holds no sound there.
    FilenameError, DataError, NotReadyError
        As `read`.
    """
    path = Path(path)
    if is_audio(path):
        return read_audio(path, rate_hz=rate_hz, span=(first_sample, last_sample))
    rate = parse_filename(path).rate_hz if rate_hz is None else rate_hz
    begin = max(first_sample, 0) // RECORD_SAMPLES
    index = read_index(path, records=max(-(-last_sample // RECORD_SAMPLES), 1))
    if last_sample <= first_sample or begin >= len(index):
        held = len(index) * RECORD_SAMPLES
        raise IndexError(
            f"{path}: no sound in samples [{first_sample}, {last_sample}), of {held} to there"
        )
    timed = [r for r in _timed(index, begin, rate) if r.sample >= begin * RECORD_SAMPLES]
    if not timed:
        raise IndexError(f"{path}: no sound in samples [{first_sample}, {last_sample}), a repeat")
    records = _with_samples(path, timed, rate)
    sound = _joined(list(Joiner(rate).push(records, path.name)), rate, path)
    front = max(first_sample - timed[0].sample, 0)
    back = max(timed[-1].sample + RECORD_SAMPLES - last_sample, 0)
    piece = sound.piece(front, len(sound.samples) - back)
    sound = replace(piece, sample=timed[0].sample + front)
    if clock_errors is None:
        return sound
    first_us = int(index.begins_us(rate)[0])
    return shifted(sound, -clock_errors.file_error_s(from_us(first_us)))


def records_of(path: Path, rate_hz: float, damages: list[Damage]) -> Iterator[Record]:
    """Yield the records of a file as it is now; what gave no sound is added to `damages`."""
    for chunk in read_chunks(path, rate_hz=rate_hz):
        damages += chunk.damages
        yield from chunk.records
    damages += [chunk.tail] if chunk.tail else []


def shifted(sound: Sound, seconds: float) -> Sound:
    """Return a sound with all of its times later by some seconds; the samples are shared."""
    if not seconds:
        return sound
    later = timedelta(seconds=seconds)
    return replace(
        sound,
        marks_us=sound.marks_us + round(seconds * 1e6),
        gaps=tuple(
            replace(gap, begin=gap.begin + later, end=gap.end + later) for gap in sound.gaps
        ),
    )


def _noting(records: Iterator[Record], first: list[Record]) -> Iterator[Record]:
    """Pass records on, and keep the first."""
    for record in records:
        if not first:
            first.append(record)
        yield record


def _timed(index: FileIndex, begin: int, rate_hz: float) -> Iterator[Record]:
    """Yield the records of an index from `begin` on, and those that tell their times.

    Their times are repaired, they have no samples, and none repeats the one before it.
    """
    times, bits = index.begins_us(rate_hz), index.bits
    first = max(begin - MEMORY_RECORDS - 1, 0)
    if _steady(index.headers["Record"][first:], times[first:], rate_hz):
        first = begin
    bare = (
        Record(
            number=int(index.headers["Record"][k]),
            begin=from_us(int(times[k])),
            bits=int(bits[k]),
            samples=_NO_SAMPLES,
            raw=index.headers[k].tobytes(),
            layout=index.layout,
            byte=int(index.byte[k]),
            sample=k * RECORD_SAMPLES,
        )
        for k in range(first, len(index))
    )
    last: Record | None = None
    for record in ClockRepair(rate_hz).push(bare):
        if last is None or (record.number, record.begin) != (last.number, last.begin):
            yield record
        last = record


def _steady(numbers: NDArray[np.uint32], times: NDArray[np.int64], rate_hz: float) -> bool:
    """Say whether records follow each other by number and clock, so that no time is repaired."""
    if (np.diff(numbers) != 1).any():
        return False
    off_us = times - times[0] - np.arange(len(times)) * record_us(rate_hz)
    return bool(np.ptp(off_us) < JUMP_US - 2)


def _with_samples(path: Path, timed: Sequence[Record], rate_hz: float) -> Iterator[Record]:
    """Yield records with their samples, decoded from the file, over damage between them."""
    times = {record.byte: record for record in timed}
    byte, end = timed[0].byte, timed[-1].byte
    while byte <= end:
        chunk = read_chunk(path, byte, rate_hz=rate_hz, limit=len(timed) + 1)
        for record in chunk.records:
            if known := times.pop(record.byte, None):
                yield replace(record, begin=known.begin, sample=known.sample)
        if chunk.next_byte == byte:
            break
        byte = chunk.next_byte
    if times:
        raise DataError(f"{path}: found no record at bytes {[*times][:9]}, wanted one: it changed")


def _joined(pieces: list[Sound | Gap], rate_hz: float, path: Path) -> Sound:
    gaps = tuple(piece for piece in pieces if isinstance(piece, Gap))
    _check(pieces, rate_hz, path)
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


def _check(pieces: Sequence[Sound | Gap], rate_hz: float, path: Path) -> None:
    gaps = [piece for piece in pieces if isinstance(piece, Gap)]
    for gap in gaps:
        if gap.end < gap.begin:
            raise DataError(
                f"{path}: found a clock that goes back {-gap.seconds:.3f} s at {gap.begin}"
            )
    seconds = sum(gap.seconds for gap in gaps)
    heard_s = sum(p.duration.total_seconds() for p in pieces if isinstance(p, Sound))
    if gaps and seconds + heard_s > _LONGEST.total_seconds():
        raise DataError(
            f"{path}: found gaps of {seconds:.0f} s in all and {heard_s:.0f} s of sound, "
            f"wanted under {_LONGEST} in a file with gaps"
        )
    zeros = sum(_gap_samples(gap, rate_hz) for gap in gaps)
    if zeros > _MOST_ZEROS:
        raise DataError(f"{path}: found gaps of {zeros} samples, wanted under {_MOST_ZEROS}")


def _gap_samples(gap: Gap, rate_hz: float) -> int:
    return round((to_us(gap.end) - to_us(gap.begin)) / record_us(rate_hz) * RECORD_SAMPLES)
