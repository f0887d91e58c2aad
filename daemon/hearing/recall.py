"""The records before a place in the drop, so that a listener can go on from there."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from acoio.errors import DataError, NotReadyError
from acoio.reader import Fetch, fetch_chunk
from acoio.record import Record
from daemon.drop.files import Drop
from daemon.drop.identity import HEAD_BYTES
from daemon.drop.order import stands_in, up_to
from daemon.errors import AwayError, UnreadableError
from daemon.progress import FileProgress

Piece = tuple[str, Sequence[Record]]
_TO_ITS_END = 1 << 62


def records_before(
    drop: Drop,
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
        If the drop does not answer now, or a file went since it was listed: without the
        sound before it, nothing is heard.
    """
    name, byte = place
    pieces: list[Piece] = []
    heads: set[str] = set()  # of copies one is enough, and none of the file itself
    for earlier in reversed(up_to(name, order)):
        if count <= 0:
            break
        file = files.get(earlier)
        until = byte if earlier == name else _readable(file, order)
        if not until and earlier != name:
            continue
        try:
            head = _head(drop, earlier, file)
            fetch = drop.bytes_of(earlier)
            records = () if head in heads else _tail(fetch, until, count=count, rate_hz=rate_hz)
        except (AwayError, UnreadableError, DataError) as error:
            if not drop.glance([earlier]):
                raise NotReadyError(f"{earlier}: gone since the drop was listed") from error
            break
        heads.add(head)
        if records:
            pieces.append((earlier, records))
        count -= len(records)
    return pieces[::-1]


def _head(drop: Drop, name: str, file: FileProgress | None) -> str:
    known = file is not None and file.head_bytes == HEAD_BYTES
    return file.head if file and known else drop.digest(name, HEAD_BYTES)


def _readable(file: FileProgress | None, order: Sequence[str]) -> int:
    """Return up to which byte a file before is to be heard."""
    if file is None:
        return _TO_ITS_END
    match file.state:
        case "pending" | "vanished" if file.attempts:  # it may be what ends us
            return 0
        case "pending" | "vanished" | "duplicate":
            return _TO_ITS_END if not file.twin or stands_in(file, order) else 0
        case "done":
            return file.bytes_read
        case "set_aside":
            return 0


def _tail(fetch: Fetch, until: int, *, count: int, rate_hz: float) -> Sequence[Record]:
    """Return the last records before byte `until`."""
    records: deque[Record] = deque(maxlen=count)
    byte = sample = 0
    while byte < until:
        chunk = fetch_chunk(fetch, byte, sample=sample, rate_hz=rate_hz)
        records.extend(record for record in chunk.records if record.byte < until)
        sample += sum(len(record.samples) for record in chunk.records)
        if chunk.next_byte == byte:
            break
        byte = chunk.next_byte
    return tuple(records)
