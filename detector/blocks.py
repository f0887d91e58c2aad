"""Typical sound as blocks that do not depend on each other, for what their spread tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

from detector.values import Score

_APART: Final = timedelta(hours=6)  # sound after a longer pause is of another day
_ENOUGH: Final = 8  # days; of fewer, hours are taken
_HOUR: Final = timedelta(hours=1)
_LEAST_SHARE: Final = 0.5  # of an hour; a shorter rest goes with the hour before it
_EDGE_SHARE: Final = 0.1  # of the hour most heard: files begin a little before the hour
Block = list[Score]


def blocks_of(stretches: Sequence[Sequence[Score]]) -> list[Block]:
    """Return windows as blocks: the days they are of, or their hours if these are too few.

    Stretches that go back in time, as those of a simulation, are of other days.  Hours
    of few days understate how days differ, but there is nothing better then.
    """
    days = [[*day] for day in _days(stretches)]
    if len(days) >= _ENOUGH:
        return days
    return [hour for day in days for hour in _hours(day)]


def hours_utc(stretches: Sequence[Sequence[Score]]) -> tuple[int, ...]:
    """Return the hours of the day that windows begin in, 0 to 23, rising; but for mere edges."""
    counts = Counter(score.begin.hour for stretch in stretches for score in stretch)
    least = _EDGE_SHARE * max(counts.values(), default=0)
    return tuple(sorted(hour for hour, count in counts.items() if count > least))


def _days(stretches: Sequence[Sequence[Score]]) -> Iterator[Block]:
    day: Block = []
    for stretch in stretches:
        pause = stretch[0].begin - day[-1].begin if day else timedelta()
        if day and not timedelta() <= pause <= _APART:
            yield day
            day = []
        day.extend(stretch)
    if day:
        yield day


def _hours(day: Block) -> Iterator[Block]:
    """Yield a day in pieces of an hour from its first window on."""
    begin = day[0].begin
    numbers = [(score.begin - begin) // _HOUR for score in day]
    cuts = [k + 1 for k, (a, b) in enumerate(pairwise(numbers)) if a != b]
    pieces = [day[a:b] for a, b in pairwise([0, *cuts, len(day)])]
    if len(pieces) > 1 and len(pieces[-1]) < _LEAST_SHARE * len(pieces[-2]):
        pieces[-2:] = [pieces[-2] + pieces[-1]]
    yield from pieces
