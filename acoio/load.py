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
from acoio.clock import JUMP_US, MEMORY_RECORDS, from_us, record_us, samples_in, to_us
from acoio.clock_errors import ClockErrors
from acoio.errors import DataError
from acoio.filename import rate_of
from acoio.header import RECORD_SAMPLES
from acoio.index import read_index
from acoio.join import Joiner
from acoio.origin import Origin, told_once
from acoio.reader import RECORDS_AT_ONCE, read_chunk
from acoio.record import Record
from acoio.record_times import RecordTimes
from acoio.record_track import RecordTrack, record_track
from acoio.report import Fault, FileReport, examine
from acoio.runs import runs_within
from acoio.sound import Gap, Sound

__all__ = ["Fault", "FileReport", "examine", "read", "read_span"]

_LONGEST: Final = timedelta(minutes=30)  # six files; one with gaps that spans more lies
_MOST_ZEROS: Final = 1 << 26  # samples of gaps in a file at any rate: 256 MiB, 11 min at 96 kHz
_FAR_US: Final = 86_400_000_000  # a record this far from the middle one is of no such file
_NO_SAMPLES: Final = np.zeros(0, np.int32)


def read(
    path: str | Path, *, rate_hz: float | None = None, clock_errors: ClockErrors | None = None
) -> Sound:
    """Return the whole sound of a file, `(n,)` int32 counts.

    A file of the observatory, of any layout; or WAV, FLAC or MP3, as `read_audio`
    reads them.  Where records are missing or damaged between others, the samples
    are zero and `gaps` says so.
    `rate_hz` is the nominal rate; without it the file's name tells.  Times are those
    of the file's clock, without its jumps, as `ACOio` gives them; with a table of known
    errors, the whole file is put right by what it says of the begin
    (`known_clock_errors()`).

    Raises
    ------
    FilenameError
        If the name does not tell the rate and none is given.
    DataError
        If the file holds no sound at all, gaps and over 30 minutes from begin
        to end, or a clock that goes back: such a file is read record by record, with `read_chunks`.
        If its clock contradicts the rate by over 1 %.
    NotReadyError
        If the file cannot be read.
    """
    path = Path(path)
    if is_audio(path):
        return read_audio(path, rate_hz=rate_hz)
    rate = rate_of(path) if rate_hz is None else rate_hz
    track = record_track(path, rate)
    if track.fault:
        raise DataError(f"{path}: found no record of sound: {track.fault}")
    timed = _timed(track, RecordTimes(rate, clock_errors), 0, len(track.index))
    return _sound_of(path, timed, rate)


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
    span are walked, and where one of them lies the others too, since most of them tell
    which few do; times are the same as those of `read`.

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
    rate = rate_of(path) if rate_hz is None else rate_hz
    first, last = max(first_sample, 0) // RECORD_SAMPLES, -(-last_sample // RECORD_SAMPLES)
    track = _walked(path, rate, last)
    timed = _timed(track, RecordTimes(rate, clock_errors), first, last)
    if last_sample <= first_sample or not timed:
        held = len(track.index) * RECORD_SAMPLES
        raise IndexError(f"{path}: no sound in samples [{first_sample}, {last_sample}), of {held}")
    sound = _sound_of(path, timed, rate)
    front = max(first_sample - timed[0].sample, 0)
    back = max(timed[-1].sample + RECORD_SAMPLES - last_sample, 0)
    return sound.piece(front, len(sound.samples) - back)


def _walked(path: Path, rate_hz: float, records: int) -> RecordTrack:
    """Return a track of so many records at least, with all that tells their times.

    Where the clock of more than half the memory runs on, no other header changes it.
    """
    index = read_index(path, records=max(records, MEMORY_RECORDS))
    told_us, numbers = index.begins_us(rate_hz), index.headers["Record"]
    drift_us = told_us - np.arange(len(told_us)) * record_us(rate_hz)
    steady = len(index) and np.ptp(drift_us) < JUMP_US - 2 and (np.diff(numbers) == 1).all()
    return RecordTrack(path, rate_hz, index) if steady else record_track(path, rate_hz)


def _timed(track: RecordTrack, clock: RecordTimes, first: int, last: int) -> list[Record]:
    """Return the records [first, last) at their times, without samples, strays and repeats."""
    index, marks = track.index, track.marks(clock)
    if not len(marks):
        return []
    middle_us = int(np.sort(marks.times_us)[len(marks) // 2])
    span_us = middle_us - _FAR_US, middle_us + _FAR_US
    kept, strays = runs_within(marks, *span_us, record_us(track.rate_hz))
    if sum(end - begin for begin, end in strays) > min(MEMORY_RECORDS, len(marks) - 1) // 2:
        kept = [(0, len(marks))]  # so many are not set aside: who joins them says what is wrong
    numbers, bits, times_us = index.headers["Record"].tolist(), index.bits.tolist(), marks.times_us
    heads = [(numbers[k], int(times_us[k]), k) for run in kept for k in range(*run)]
    before = [None, *heads]
    return [
        Record(
            number=number,
            begin=from_us(begin_us),
            bits=bits[k],
            samples=_NO_SAMPLES,
            raw=index.headers[k].tobytes(),
            layout=index.layout,
            byte=int(index.byte[k]),
            sample=k * RECORD_SAMPLES,
        )
        for (number, begin_us, k), last_one in zip(heads, before, strict=False)
        if first <= k < last and (last_one is None or last_one[:2] != (number, begin_us))
    ]


def _sound_of(path: Path, timed: Sequence[Record], rate_hz: float) -> Sound:
    records = _with_samples(path, timed, rate_hz)
    return _joined(list(Joiner(rate_hz).push(records, path.name)), rate_hz, path)


def _with_samples(path: Path, timed: Sequence[Record], rate_hz: float) -> Iterator[Record]:
    """Yield records with their samples, decoded from the file, over damage between them."""
    times = {record.byte: record for record in timed}
    byte, end = timed[0].byte, timed[-1].byte
    while byte <= end:
        chunk = read_chunk(path, byte, rate_hz=rate_hz, limit=min(len(timed) + 1, RECORDS_AT_ONCE))
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
    origins: list[Origin] = []
    count = 0
    for piece in pieces:
        if isinstance(piece, Gap):
            samples = np.zeros(_gap_samples(piece, rate_hz), np.int32)
        else:
            samples = piece.samples
            at += [*range(count, count + len(samples), RECORD_SAMPLES), count + len(samples)]
            times_us += [*piece.marks_us.tolist(), to_us(piece.end)]
            origins.append(Origin(count, path.name, piece.sample))
        blocks.append(samples)
        count += len(samples)
    every = np.arange(0, count, RECORD_SAMPLES)
    origin, *later = told_once(origins)
    return Sound(
        samples=np.concatenate(blocks),
        rate_hz=rate_hz,
        marks_us=np.rint(np.interp(every, at, times_us)).astype(np.int64),
        gaps=gaps,
        file=path.name,
        sample=origin.sample,
        later=tuple(later),
    )


def _check(pieces: Sequence[Sound | Gap], rate_hz: float, path: Path) -> None:
    gaps = [piece for piece in pieces if isinstance(piece, Gap)]
    for gap in gaps:
        if gap.reason:
            raise DataError(f"{path}: found {gap.reason} at {gap.begin}")
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
    return samples_in(to_us(gap.end) - to_us(gap.begin), rate_hz)
