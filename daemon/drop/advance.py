"""How far a file is read after a piece of it (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from acoio.clock import JUMP_US, samples_in, to_us
from acoio.reader import Chunk
from acoio.record import Damage
from daemon.drop.listing import Seen
from daemon.progress import FileProgress
from detector.scoring.listen import Run


def found(file: FileProgress, seen: Seen) -> FileProgress:
    """Return the progress with what the listing tells of the file now."""
    return replace(
        file,
        size=seen.size,
        inode=seen.inode,
        mtime_ns=seen.mtime_ns,
        ctime_ns=seen.ctime_ns,
    )


def advanced(file: FileProgress, seen: Seen, chunk: Chunk, *, late: bool) -> FileProgress:
    """Return how far the file is read after a chunk."""
    complaint = f"byte {chunk.damages[0].byte}: {chunk.damages[0].reason}" if chunk.damages else ""
    return replace(
        found(file, seen),
        size=max(seen.size, chunk.next_byte),
        bytes_read=chunk.next_byte,
        samples_read=file.samples_read + sum(len(record.samples) for record in chunk.records),
        records=file.records + len(chunk.records),
        damaged_bytes=file.damaged_bytes + sum(d.length_bytes for d in chunk.damages),
        tail_bytes=0,
        state="pending",
        reason=file.reason or complaint,
        attempts=0,
        late=file.late or late,
    )


def with_tail(file: FileProgress, tail: Damage) -> FileProgress:
    """Return a file with what lies at its end and is no whole record."""
    reason = file.reason or f"byte {tail.byte}: {tail.reason}"
    return replace(file, tail_bytes=tail.length_bytes, reason=reason)


def with_sound(file: FileProgress, runs: Iterable[Run], rate_hz: float) -> FileProgress:
    """Return a file with the next runs of its sound, and silence where it lacks some between.

    It is counted as `acoio.read` counts it, gap by gap: the length is that of the WAV which
    is saved of it for another program.
    """
    begin_us, end_us, samples = file.begin_us, file.end_us, file.span_samples
    for run in runs:
        run_us, run_end_us = to_us(run.begin), to_us(run.end)
        if not samples:
            begin_us = run_us
        elif run_us - end_us > JUMP_US:
            samples += samples_in(run_us - end_us, rate_hz)
        elif end_us - run_us > JUMP_US:  # the clock went back: what comes lies behind all the same
            run_end_us += end_us - run_us
        end_us, samples = run_end_us, samples + run.samples
    return replace(file, begin_us=begin_us, end_us=end_us, span_samples=samples)
