"""Which file has which time: the first to claim it, and another only what that one lacks."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass

from acoio.clock import JUMP_US


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """Time [begin_us, end_us), and the file that has it; "" is nobody."""

    begin_us: int
    end_us: int
    file: str


class Claims:
    """Claimed time, apart and in order; what two claims share by less than a jump is no matter."""

    def __init__(self) -> None:
        self._held: list[Claim] = []

    def forget(self, before_us: int) -> None:
        """Drop what ended before a time that nobody will claim again."""
        self._held = [held for held in self._held if held.end_us > before_us]

    def split(self, begin_us: int, end_us: int) -> list[Claim]:
        """Return the parts of a span in order: those held, and those that are free."""
        return list(self._parts(begin_us, end_us))

    def take(self, begin_us: int, end_us: int, file: str) -> None:
        """Claim a span that is free."""
        insort(self._held, Claim(begin_us, end_us, file))

    def _parts(self, begin_us: int, end_us: int) -> Iterator[Claim]:
        at_us = begin_us
        for held in self._held:
            first_us, last_us = max(held.begin_us, at_us), min(held.end_us, end_us)
            if last_us - first_us <= JUMP_US:
                continue
            if first_us - at_us > JUMP_US:
                yield Claim(at_us, first_us, "")
            yield Claim(first_us, last_us, held.file)
            at_us = last_us
        if end_us - at_us > JUMP_US:
            yield Claim(at_us, end_us, "")
