"""Which evidence goes, and which kinds may be made (pure): the disk is the events' first.

What is over its age or over the share of the disk goes oldest first.  Where the disk is
short of room all the same, pictures go first, then clips; events are never among them.
What belongs to events that people confirmed never grows too old, and goes after all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["clip", "picture"]
KINDS: Final[tuple[Kind, ...]] = ("clip", "picture")

_DAY_S: Final = 86_400.0
_PICTURES_WANT: Final = 1.1
"""Pictures are made only with a tenth more room than is kept free, so that those which
went for want of it make no place for others that go next."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long evidence is kept (days), how much of it (bytes), and what stays free (bytes)."""

    keep_days: float
    keep_bytes: float
    min_free_bytes: float


@dataclass(frozen=True, slots=True)
class Kept:
    """A piece of evidence on the disk: whose it is, when it was made (s since 1970), its size.

    `confirmed`: the last verdict on its event says so.
    """

    event_id: str
    kind: Kind
    made_s: float
    size_bytes: int
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """What to remove, in this order, and of which kinds more may be made."""

    remove: tuple[Kept, ...]
    make: tuple[Kind, ...]


def rule(kept: Sequence[Kept], free_bytes: float, limits: Limits) -> Ruling:
    """Return what goes and what may be made.

    Age counts back from the newest piece, not from the clock: a clock that
    jumps ahead removes nothing.
    """
    oldest_first = sorted(kept, key=lambda piece: (piece.made_s, piece.event_id, piece.kind))
    gone = _aged(oldest_first, limits)
    left = [piece for piece in oldest_first if piece not in gone]
    left.sort(key=lambda piece: piece.confirmed)  # stable: oldest first
    gone |= set(_until(left, _size(left) - limits.keep_bytes))
    left = [piece for piece in left if piece not in gone]
    short = limits.min_free_bytes - free_bytes - _size(gone)
    left.sort(key=lambda piece: (piece.confirmed, -KINDS.index(piece.kind)))
    last = _until(left, short)
    freed = _size(gone) + _size(last)
    first = [piece for piece in oldest_first if piece in gone]
    return Ruling((*first, *last), makeable(free_bytes + freed, limits.min_free_bytes))


def makeable(free_bytes: float, min_free_bytes: float) -> tuple[Kind, ...]:
    """Return the kinds that may be made with so much room."""
    if free_bytes < min_free_bytes:
        return ()
    return KINDS if free_bytes >= _PICTURES_WANT * min_free_bytes else ("clip",)


def _aged(oldest_first: Sequence[Kept], limits: Limits) -> set[Kept]:
    if not oldest_first:
        return set()
    until_s = oldest_first[-1].made_s - limits.keep_days * _DAY_S
    return {piece for piece in oldest_first if piece.made_s < until_s and not piece.confirmed}


def _until(pieces: Sequence[Kept], wanted_bytes: float) -> tuple[Kept, ...]:
    """Return so many of the first pieces as free that much."""
    found = []
    for piece in pieces:
        if wanted_bytes <= 0:
            break
        found.append(piece)
        wanted_bytes -= piece.size_bytes
    return tuple(found)


def _size(pieces: Iterable[Kept]) -> int:
    return sum(piece.size_bytes for piece in pieces)
