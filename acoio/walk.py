"""Where the records of a file lie: the walk from header to header, without the samples.

Pure: it looks at bytes that it is given.  A header of a layout that repeats its
number is believed by itself; one of a layout that does not is believed if a
neighbour counts on: the one that ends where it begins, or the one that begins
where its sample size says.  What a header means depends on the 16,420 bytes on
each side of it and on nothing else, so it does not matter where a read began.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acoio.header import (
    BYTES_PER_BIT,
    EARLIEST_S,
    HEADER_BYTES,
    LATEST_S,
    MAX_BITS,
    MAX_RECORD_BYTES,
    NUMBERS,
    OLD,
    complaint,
    timed,
)
from acoio.holes import ends_in_zeros, has_zeros, holes_in, is_blank
from acoio.record import Damage
from acoio.source import FileSource, Head, MemorySource, Source
from acoio.standing import LONGEST_RECORD_US, standing

__all__ = ["REACH_BYTES", "FileSource", "MemorySource", "Place", "Walk", "header_stands", "walk"]

REACH_BYTES: Final = MAX_RECORD_BYTES + HEADER_BYTES
"""How far from a record's begin the next header can end."""

_LIE: Final = "sample size does not lead to the next header"
_ZEROS: Final = "zeros to its end and after it, wanted samples and a header"
_FEW: Final = 2  # places that are looked at one by one
_SEARCH_BYTES: Final = (256, 1 << 16)  # the first and the largest block of a search


class Place(NamedTuple):
    """A record's first byte, the bytes of its samples, and its header."""

    byte: int
    payload_bytes: int
    head: Head


@dataclass(frozen=True, slots=True)
class Walk:
    """The records of a piece of a file, what was passed over, and where the walk ended."""

    places: list[Place]
    damages: list[Damage]
    end: int


def walk(source: Source, start: int, limit: int, *, final: bool, young: bool = False) -> Walk:
    """Return up to `limit` whole records from `start` on, and as many damages.

    `final` says that the source ends where the file ends, and will not grow; `young` that
    its zeros may be bytes that are not there yet: it ends before those.
    """
    return _Walker(source, final=final, young=young).walk(start, limit)


def header_stands(source: Source, at: int) -> bool:
    """Say whether a header stands at a byte, by what the source holds now."""
    return bool(_Walker(source, final=True).stands(at))


class _Walker:
    """Answers of True and False hold however the file grows; None waits for more of it."""

    def __init__(self, source: Source, *, final: bool, young: bool = False) -> None:
        self._source, self._head, self._size = source, source.head, source.size
        self._final, self._young = final, young
        self._unknown = False if final else None
        self._holes = holes_in(source.block(0, source.size)) if young else ()

    def walk(self, at: int, limit: int) -> Walk:
        places: list[Place] = []
        damages: list[Damage] = []
        head: Head | None = None  # the one that is known to stand at `at`
        while len(places) < limit and len(damages) < limit and at + HEADER_BYTES <= self._size:
            found, head = self._found(at, head)
            if found is None:
                break
            if isinstance(found, Damage):
                damages.append(found)
                at += found.length_bytes
            else:
                places.append(found)
                at += HEADER_BYTES + found.payload_bytes
        return Walk(places, damages, at)

    def _found(self, at: int, head: Head | None) -> tuple[Place | Damage | None, Head | None]:
        """Return what lies at a byte, None if that is not known yet, and the header after it."""
        if head is None:
            stands = self.stands(at)
            if not stands:
                return (None if stands is None else self._passed_over(at)), None
            head = self._head(at)
        payload_bytes, after = self._payload(at, head)
        if not payload_bytes:
            return self._unfollowed(at, head), None
        if self._young and self._has_hole(at + HEADER_BYTES, payload_bytes):
            return None, None
        return Place(at, payload_bytes, head), after

    def _passed_over(self, at: int) -> Damage | None:
        """Return what lies between a byte where no header stands and the next one."""
        last = self._size - HEADER_BYTES + 1
        until = next(self._headers(at + 1, last), last)
        if self._is_filled_later(at, until):
            return None
        return Damage(at, until - at, complaint(self._source.block(at, at + HEADER_BYTES)))

    def _unfollowed(self, at: int, head: Head) -> Place | Damage | None:
        """Return what a header begins that no other is known to follow."""
        found = self._lie(at, head)
        end = at + HEADER_BYTES + BYTES_PER_BIT * head.bits
        if found is None or self._is_filled_later(at, end):
            return None
        if found:
            return Damage(at, found - at, _LIE)
        if self._is_cut_by_zeros(end):
            return Damage(at, end - at, _ZEROS)
        return Place(at, end - at - HEADER_BYTES, head)

    def stands(self, at: int, before: Head | None = None) -> bool | None:
        """Say whether a header stands at a byte; `before` is one that ends there."""
        if at + HEADER_BYTES > self._size:
            return False
        head = self._head(at)
        if _stands_alone(head):
            return True
        if not _timed(head):
            return False
        if before is not None and 1 <= head.bits <= MAX_BITS and _counts_on(before, head):
            return True
        return self._led_to(at, head) or self._leads_on(at, head)

    def _led_to(self, at: int, head: Head) -> bool:
        """Say whether a header before this one leads to it; to a wrong width, if unpacked."""
        for bits in range(1 if 1 <= head.bits <= MAX_BITS else MAX_BITS, MAX_BITS + 1):
            first = at - HEADER_BYTES - BYTES_PER_BIT * bits
            if first < 0:
                return False
            other = self._head(first)
            if bits in (other.bits, MAX_BITS) and _counts_on(other, head):
                return True
        return False

    def _leads_on(self, at: int, head: Head) -> bool | None:
        """Say whether this header leads to another, by its sample size or unpacked."""
        answer: bool | None = False
        for bits in {head.bits, MAX_BITS}:
            if not 1 <= bits <= MAX_BITS:
                continue
            after = at + HEADER_BYTES + BYTES_PER_BIT * bits
            if after + HEADER_BYTES > self._size:
                answer = self._unknown
            elif _counts_on(head, self._head(after)):
                return True
        return answer

    def _payload(self, at: int, head: Head) -> tuple[int, Head | None]:
        """Return the bytes of a record's samples and the header if one is known to follow.

        0 if nothing confirms them yet.
        """
        payload_bytes = BYTES_PER_BIT * head.bits if head.bits <= MAX_BITS else 0
        end = at + HEADER_BYTES + payload_bytes
        if payload_bytes and end + HEADER_BYTES <= self._size:
            after = self._head(end)
            if _stands_alone(after) or self.stands(end, head):
                return payload_bytes, after
        if head.bits != MAX_BITS and (unpacked := self._unpacked(at, head)) is not None:
            follows = self._head(at + MAX_RECORD_BYTES) if unpacked else None
            return BYTES_PER_BIT * MAX_BITS, follows
        return (payload_bytes, None) if end == self._size else (0, None)

    def _unpacked(self, at: int, head: Head) -> bool | None:
        """Say whether a header is known to follow 32-bit samples, whatever the header says.

        None if no such samples stand here.
        """
        end = at + MAX_RECORD_BYTES
        if end + HEADER_BYTES <= self._size and _counts_on(head, self._head(end)):
            return True
        first = at - MAX_RECORD_BYTES
        before = self._head(first) if first >= 0 else None
        came = before is not None and before.bits != MAX_BITS and _counts_on(before, head)
        alone = self._final and end == self._size
        return False if (came and end <= self._size) or alone else None

    def _lie(self, at: int, head: Head) -> int | None:
        """Return where the header after a lying one stands, 0 if it does not lie; None: wait.

        Nothing follows where the sample size says: it lies, or what follows is
        damaged, or is not there yet.  The next header's number tells, once all that
        decides is there: a file that grows gives what it gives whole.
        """
        if not self._final and at + 2 * REACH_BYTES > self._size:
            return None
        end = at + HEADER_BYTES + BYTES_PER_BIT * head.bits
        packed = 1 <= head.bits <= MAX_BITS
        last = at + REACH_BYTES - HEADER_BYTES + 1
        found = next(self._headers(at + HEADER_BYTES, last), None)
        if found is None:
            lies, found = not packed, self._size
        else:
            counts_on = self._head(found).number == (head.number + 1) % NUMBERS
            lies = not packed or end > self._size or counts_on
        if lies:
            return found
        return 0 if end < self._size else None

    def _is_filled_later(self, at: int, until: int) -> bool:
        """Return True if what stands where a record should may be zeros for now."""
        return self._young and has_zeros(self._source.block(at, until + HEADER_BYTES))

    def _is_cut_by_zeros(self, end: int) -> bool:
        """Return True if a record that would end at a byte ends in zeros that go on after it."""
        block = self._source.block
        return ends_in_zeros(block(max(end - HEADER_BYTES, 0), end)) and is_blank(
            block(end, end + HEADER_BYTES)
        )

    def _has_hole(self, first: int, payload_bytes: int) -> bool:
        """Return True if samples have a hole among them, or end in zeros with nothing behind."""
        end = first + payload_bytes
        if end == self._size:
            return ends_in_zeros(self._source.block(end - HEADER_BYTES, end))
        return any(first < hole and last < end for hole, last in self._holes)

    def _headers(self, first: int, last: int) -> Iterator[int]:
        """Yield the places in [first, last) where a header stands, or may turn out to."""
        last = min(last, self._size - HEADER_BYTES + 1)
        length, longest = _SEARCH_BYTES
        while first < last:
            count = min(length, last - first)
            block = self._source.block(first, first + count + HEADER_BYTES - 1)
            heads = np.ndarray((count,), OLD, block, strides=(1,))
            likely = first + np.flatnonzero(timed(heads))
            yield from self._of(likely[:_FEW])
            if len(likely) > _FEW:
                rest = likely[_FEW:]
                yield from self._of(rest[self._standing(rest)])
            first, length = first + count, min(2 * length, longest)

    def _of(self, at: NDArray[np.int64]) -> Iterator[int]:
        """Yield those of some places where a header stands, or may turn out to."""
        return (k for k in at.tolist() if self.stands(k) is not False)

    def _standing(self, at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return at which of some places, in order, `stands` does not deny a header, (n,)."""
        low, high = max(int(at[0]) - MAX_RECORD_BYTES, 0), int(at[-1]) + REACH_BYTES
        data = self._source.block(low, min(high, self._size))
        return standing(data, at - low, final=self._final)


def _stands_alone(head: Head) -> bool:
    """Say whether a header is believed by itself; most are, so this is what a walk costs.

    A clock that is one of the words before it is no repeated number: it is a pattern.
    """
    number, word4, word8, tsec, tusec, ticks, bits = head
    return (
        number in (word8, word4)
        and tsec not in (number, word4, word8)
        and 0 < bits <= MAX_BITS
        and EARLIEST_S <= tsec < LATEST_S
        and tusec < 1_000_000
        and ticks < 10_000_000
    )


def _timed(head: Head) -> bool:
    return EARLIEST_S <= head.tsec < LATEST_S and head.tusec < 1_000_000 and head.ticks < 10_000_000


def _counts_on(head: Head, after: Head) -> bool:
    """Say whether a header has the number after another's, and a clock of a record later."""
    if after.number != (head.number + 1) % NUMBERS or not (_timed(head) and _timed(after)):
        return False
    ran_us = (after.tsec - head.tsec) * 1_000_000 + after.tusec - head.tusec
    return 0 < ran_us <= LONGEST_RECORD_US
