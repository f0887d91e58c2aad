"""The records before a place in the drop, so that a listener can go on from there."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from acoio.errors import DataError, NotReadyError
from acoio.filename import parse_filename
from acoio.reader import read_chunk
from acoio.record import Record
from daemon.progress import FileProgress

Piece = tuple[str, Sequence[Record]]


def follows(
    name: str, heard: str | None, order: Sequence[str], files: Mapping[str, FileProgress]
) -> bool:
    """Say whether there is no sound between the file heard last and this one.

    It need not be in the drop any more; `order` is what is, in order of time.
    """
    if heard is None or name == heard:
        return True
    if time_order(name) < time_order(heard):
        return False
    between = slice(
        bisect_right(order, time_order(heard), key=time_order),
        bisect_left(order, time_order(name), key=time_order),
    )
    return not any(_sounds(earlier, files) for earlier in order[between])


def time_order(name: str) -> tuple[datetime, str]:
    """Return what puts files in the order of their sound."""
    return parse_filename(name).begin, name


def _sounds(name: str, files: Mapping[str, FileProgress]) -> bool:
    return name in files and files[name].records > 0 and files[name].state != "set_aside"


def records_before(
    drop: Path,
    name: str,
    *,
    count: int,
    order: Sequence[str],
    files: Mapping[str, FileProgress],
    rate_hz: float,
) -> list[Piece]:
    """Return the last `count` records before where file `name` was read to, file by file.

    It goes back over earlier files as far as they can be read; what they hold
    beyond what was read of them is left out.
    """
    pieces: list[Piece] = []
    for earlier in reversed(order[: bisect_right(order, time_order(name), key=time_order)]):
        if count <= 0:
            break
        if not _sounds(earlier, files):
            continue
        until = files[earlier].bytes_read
        records = _tail(drop / earlier, until, count=count, rate_hz=rate_hz)
        if records is None:
            break
        pieces.append((earlier, records))
        count -= len(records)
    return pieces[::-1]


def _tail(path: Path, until: int, *, count: int, rate_hz: float) -> Sequence[Record] | None:
    """Return the last records before byte `until`, or None if the file is no longer there."""
    records: deque[Record] = deque(maxlen=count)
    byte = sample = 0
    while byte < until:
        try:
            chunk = read_chunk(path, byte, sample=sample, rate_hz=rate_hz)
        except (NotReadyError, DataError):
            return None
        records.extend(record for record in chunk.records if record.byte < until)
        sample += sum(len(record.samples) for record in chunk.records)
        if chunk.next_byte == byte:
            break
        byte = chunk.next_byte
    return tuple(records)
