"""How far a file is read after a piece of it, and what is wrong with its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acoio.errors import NotReadyError
from acoio.header import BYTES_PER_BIT, HEADER_BYTES, MAX_BITS
from acoio.reader import Chunk
from acoio.record import Damage
from daemon.arrivals import Seen
from daemon.progress import FileProgress


def found(file: FileProgress, seen: Seen) -> FileProgress:
    """Return the progress with the size and the inode that the file has now."""
    return replace(file, size=seen.size, inode=seen.inode)


def advanced(file: FileProgress, seen: Seen, chunk: Chunk) -> FileProgress:
    """Return how far the file is read after a chunk."""
    complaint = f"byte {chunk.damages[0].byte}: {chunk.damages[0].reason}" if chunk.damages else ""
    return replace(
        file,
        size=max(seen.size, chunk.next_byte),
        inode=seen.inode,
        bytes_read=chunk.next_byte,
        samples_read=file.samples_read + sum(len(record.samples) for record in chunk.records),
        records=file.records + len(chunk.records),
        damaged_bytes=file.damaged_bytes + sum(d.length_bytes for d in chunk.damages),
        tail_bytes=0,
        state="pending",
        reason=file.reason or complaint,
    )


def short_record(path: Path, byte: int, tail_bytes: int) -> Damage:
    """Return the damage of a record that is cut off by the end of its file.

    Raises
    ------
    NotReadyError
        If the file cannot be read now.
    """
    try:
        with path.open("rb") as file:
            file.seek(byte)
            header = file.read(HEADER_BYTES)
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    bits = header[-1] if len(header) == HEADER_BYTES else 0
    wanted = HEADER_BYTES + BYTES_PER_BIT * bits if 1 <= bits <= MAX_BITS else HEADER_BYTES
    return Damage(byte, tail_bytes, f"short last record: found {tail_bytes} bytes, wanted {wanted}")
