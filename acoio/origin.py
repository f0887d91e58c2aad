"""Which file, and where in it, each stretch of a sound is from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """From its sample `at` on a sound is that of `file` from the sample `sample` on."""

    at: int
    file: str
    sample: int

    def seen_from(self, first: int) -> Origin:
        """Return it as a piece that begins at `first` has it: its first sample is sample 0."""
        return Origin(0, self.file, self.sample + first - self.at)


def origins_between(origins: Sequence[Origin], first: int, heard: int, last: int) -> list[Origin]:
    """Return the origins of the piece [first, last) of a sound, which is silent before `heard`.

    The silence before the first sound of a piece is counted as of that sound's file.
    """
    k = max(bisect_right(origins, heard, key=lambda origin: origin.at) - 1, 0)
    later = [origin for origin in origins[k + 1 :] if origin.at < last]
    moved = [Origin(origin.at - first, origin.file, origin.sample) for origin in later]
    return [origins[k].seen_from(first), *moved]


def told_once(origins: Iterable[Origin]) -> list[Origin]:
    """Return origins in order, from sample 0 on, without those that go on from the one before."""
    told: list[Origin] = []
    for origin in sorted(origins):
        if not told:
            told.append(origin.seen_from(0))
        elif told[-1].seen_from(origin.at) != origin.seen_from(origin.at):
            told.append(origin)
    return told


def resampled(origins: Iterable[Origin], ratio: Fraction, count: int) -> list[Origin]:
    """Return the origins of a sound of `count` samples that has `ratio` times as many."""
    moved = []
    for origin in origins:
        at = -(-origin.at * ratio.numerator // ratio.denominator)
        moved.append(Origin(at, origin.file, at + round((origin.sample - origin.at) * ratio)))
    return [origin for origin in moved if origin.at < count]
