"""How far a file is read after a piece of it (pure)."""

from __future__ import annotations

from dataclasses import replace

from acoio.reader import Chunk
from acoio.record import Damage
from daemon.drop.listing import Seen
from daemon.progress import FileProgress


def found(file: FileProgress, seen: Seen) -> FileProgress:
    """Return the progress with what the listing tells of the file now."""
    return replace(file, size=seen.size, inode=seen.inode, mtime_ns=seen.mtime_ns)


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
