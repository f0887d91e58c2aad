"""The records before a place in the drop, so that a listener can go on from there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from acoio.errors import DataError
from acoio.reader import Fetch, fetch_chunk
from acoio.record import Record
from daemon.drop.order import up_to
from daemon.errors import AwayError, UnreadableError
from daemon.progress import FileProgress

Piece = tuple[str, Sequence[Record]]
_TO_ITS_END = 1 << 62


def records_before(
    open_file: Callable[[str], Fetch],
    place: tuple[str, int],
    *,
    count: int,
    order: Sequence[str],
    files: Mapping[str, FileProgress],
    rate_hz: float,
) -> list[Piece]:
    """Return the last `count` records before a place (file, byte), file by file.

    It goes back over earlier files as far as they can be read, whether they were
    read yet or not: what a window is scored by is the sound before it, and not the
    order in which files were worked off.

    Raises
    ------
    NotReadyError
        If the drop does not answer now: without the sound before it, nothing is heard.
    """
    name, byte = place
    pieces: list[Piece] = []
    for earlier in reversed(up_to(name, order)):
        if count <= 0:
            break
        until = byte if earlier == name else _readable(files.get(earlier), order)
        if not until:
            continue
        records = _tail(open_file(earlier), until, count=count, rate_hz=rate_hz)
        if records is None:
            break
        pieces.append((earlier, records))
        count -= len(records)
    return pieces[::-1]


def _readable(file: FileProgress | None, order: Sequence[str]) -> int:
    """Return up to which byte a file before is to be heard."""
    if file is None:
        return _TO_ITS_END
    match file.state:
        case "pending" | "vanished":  # begun and never got on: it may be what ends us
            return 0 if file.twin or file.attempts else _TO_ITS_END
        case "duplicate":
            return 0 if file.twin in order else _TO_ITS_END
        case "done":
            return file.bytes_read
        case "set_aside":
            return 0


def _tail(fetch: Fetch, until: int, *, count: int, rate_hz: float) -> Sequence[Record] | None:
    """Return the last records before byte `until`, or None if the file is not to be had."""
    records: deque[Record] = deque(maxlen=count)
    byte = sample = 0
    while byte < until:
        try:
            chunk = fetch_chunk(fetch, byte, sample=sample, rate_hz=rate_hz)
        except (AwayError, UnreadableError, DataError):
            return None
        records.extend(record for record in chunk.records if record.byte < until)
        sample += sum(len(record.samples) for record in chunk.records)
        if chunk.next_byte == byte:
            break
        byte = chunk.next_byte
    return tuple(records)
