"""Where the nearest sound to an instant is, and which nearer files give none, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, Self

from acoio.catalogue import Catalogue, Found
from acoio.chain import EARLY, LONGEST
from acoio.clock import from_us, to_us
from acoio.errors import NotReadyError
from acoio.tracks import Tracks

_MINUTE: Final = timedelta(minutes=1)
_MOST: Final = 50  # files looked into, each way
_TOLD: Final = 3  # of those that give none of their name's time
_BEFORE: Final = "the last before"
_AFTER: Final = "the first after"


def nearest_sound(catalogue: Catalogue, tracks: Tracks, when: datetime) -> str:
    """Return where the last sound before a time is and the first after, as text.

    Files are looked into by their names, away from the time, up to one whose sound lies on
    that side of it, as its clock says.
    """
    near: dict[str, list[_Sound]] = {_BEFORE: [], _AFTER: []}
    silent: dict[str, list[str]] = {_BEFORE: [], _AFTER: []}
    for side, files in ((_BEFORE, _before), (_AFTER, _after)):
        for found in islice(files(catalogue, when), _MOST):
            if why := _why_not(found, tracks):
                silent[side].append(why)
                continue
            sound = _Sound.of(found, tracks)
            its_side = _BEFORE if sound.end <= when else _AFTER
            near[its_side].append(sound)
            if its_side == side:
                break
    last = [f"{_BEFORE}, {sound}" for sound in sorted(near[_BEFORE])[-1:]]
    first = [f"{_AFTER}, {sound}" for sound in sorted(near[_AFTER])[:1]]
    told = [*_few(silent[_BEFORE]), *last, *_few(silent[_AFTER]), *first]
    return "; ".join(told) or "none at all"


def fault_of(found: Found, tracks: Tracks) -> str:
    """Return why a file gives no sound, or nothing."""
    try:
        return tracks.track(found).fault
    except NotReadyError as error:
        return str(error)


def named_otherwise(found: Found, begin_us: int) -> bool:
    """Return whether sound begins at no time of a file of that name."""
    low_us, high_us = to_us(found.name.begin - EARLY), to_us(found.name.begin + LONGEST)
    return not low_us <= begin_us < high_us


@dataclass(frozen=True, slots=True, order=True)
class _Sound:
    """The sound of a file, by its clock, or if that needs all of the file, by its name."""

    begin: datetime
    end: datetime
    path: Path
    by_clock: bool

    @classmethod
    def of(cls, found: Found, tracks: Tracks) -> Self:
        span_us = tracks.ends(found).span_us
        begin_us, end_us = span_us or (to_us(found.name.begin),) * 2
        return cls(from_us(begin_us), from_us(end_us), found.path, span_us is not None)

    def __str__(self) -> str:
        return f"{self.path}" + (f", {self.begin} to {self.end}" if self.by_clock else "")


def _why_not(found: Found, tracks: Tracks) -> str:
    """Return why a file gives no sound of its name's time, or nothing."""
    if fault := fault_of(found, tracks):
        return f"{found.path} gives no sound: {fault.removeprefix(f'{found.path}: ')}"
    sound = _Sound.of(found, tracks)
    if named_otherwise(found, to_us(sound.begin)):
        return f"{sound} by its clock, is named for another time, {found.name.begin}"
    return ""


def _few(files: list[str]) -> list[str]:
    more = [f"and {len(files) - _TOLD} more like these"] if len(files) > _TOLD else []
    return files[:_TOLD] + more


def _before(catalogue: Catalogue, when: datetime) -> Iterator[Found]:
    while found := catalogue.nearest(when)[0]:
        minute = _minute(found)
        yield from (x for x in reversed(catalogue.named(minute, minute)) if x.name.begin < when)
        when = minute


def _after(catalogue: Catalogue, when: datetime) -> Iterator[Found]:
    while found := catalogue.nearest(when)[1]:
        minute = _minute(found)
        yield from (x for x in catalogue.named(minute, minute) if x.name.begin >= when)
        when = minute + _MINUTE


def _minute(found: Found) -> datetime:
    return found.name.begin.replace(second=0, microsecond=0)
