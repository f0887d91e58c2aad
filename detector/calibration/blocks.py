"""Typical sound as blocks that do not depend on each other, for what their spread tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median
from typing import Final

from detector.values import Score

_APART: Final = timedelta(hours=6)  # sound after a longer pause is of another day
_ENOUGH: Final = 8  # days; of fewer, hours are taken
_HOUR: Final = timedelta(hours=1)
_LEAST_SHARE: Final = 0.5
_EDGE_SHARE: Final = 0.1  # of the hour most heard: files begin a little before the hour
Block = list[Score]


def blocks_of(stretches: Sequence[Sequence[Score]]) -> list[Block]:
    """Return windows as blocks: the days they are of, or their hours if these are too few.

    Stretches that go back in time, as those of a simulation, are of other days.  Hours
    of few days understate how days differ, but there is nothing better then.  No block is
    under half as long as most are: chance alone would set it far apart.
    """
    days = [[*day] for day in _days(stretches)]
    if len(days) >= _ENOUGH:
        return _of_some_length(days)
    return _of_some_length([hour for day in days for hour in _hours(day)])


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
    """Yield a day in pieces, each of what begins within an hour of its first window."""
    hour: Block = []
    for score in day:
        if hour and score.begin - hour[0].begin >= _HOUR:
            yield hour
            hour = []
        hour.append(score)
    if hour:
        yield hour


def _of_some_length(blocks: Sequence[Block]) -> list[Block]:
    """Return blocks where each that is much shorter than most goes with the one before it."""
    least = _LEAST_SHARE * median(map(len, blocks)) if blocks else 0.0
    found: list[Block] = []
    for block in blocks:
        if found and min(len(block), len(found[-1])) < least:
            found[-1] = found[-1] + block
        else:
            found.append(block)
    return found
