"""Files in the order of their sound (pure)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from acoio.filename import FileName, parse_filename
from daemon.progress import FileProgress, LaneState

_NEAR: Final = timedelta(days=1)


@lru_cache(maxsize=1 << 18)  # two years' names, at every scan
def parsed(name: str) -> FileName:
    """Return what a name says.

    Raises
    ------
    FilenameError
        If it says no time.
    """
    return parse_filename(name)


def time_order(name: str) -> tuple[datetime, str]:
    """Return what puts files in the order of their sound."""
    return parsed(name).begin, name


def goes_on(
    file: FileProgress, lane: LaneState, order: Sequence[str], files: Mapping[str, FileProgress]
) -> bool:
    """Return whether a file, from where it was read to, comes right after what a lane heard.

    The file heard last need not be in the drop any more; `order` is what is, in order of time.
    """
    if lane.heard is None:
        return True
    if lane.heard == file.name:
        return lane.records == file.records
    before = files.get(lane.heard)
    if file.records or (before and before.records != lane.records):
        return False
    if before and before.head and before.head == file.head:  # it was moved while it was read
        return False
    return _follows(file.name, lane.heard, order, files)


def _follows(
    name: str, heard: str, order: Sequence[str], files: Mapping[str, FileProgress]
) -> bool:
    """Return whether no file with sound, heard or not, lies between two files."""
    if time_order(name) < time_order(heard):
        return False
    between = slice(
        bisect_right(order, time_order(heard), key=time_order),
        bisect_left(order, time_order(name), key=time_order),
    )
    known = (files.get(name) for name in order[between])
    return not any(file is None or _has_sound(file, heard, order) for file in known)


def up_to(name: str, order: Sequence[str]) -> Sequence[str]:
    """Return the files before one, and itself."""
    return order[: bisect_right(order, time_order(name), key=time_order)]


def next_heard(
    name: str, order: Sequence[str], files: Mapping[str, FileProgress]
) -> FileProgress | None:
    """Return the next file within a day of one whose sound was heard already.

    What lies between and was not heard is stepped over: it will be late itself.
    """
    for later in order[bisect_right(order, time_order(name), key=time_order) :]:
        if parsed(later).begin - parsed(name).begin > _NEAR:
            return None
        file = files.get(later)
        if file and _was_heard(file, order):
            return file
    return None


def stands_in(file: FileProgress, order: Sequence[str]) -> bool:
    """Return whether a copy is what is left in the drop of the sound of its twin."""
    return bool(file.twin) and file.twin not in order


def _has_sound(file: FileProgress, heard: str, order: Sequence[str]) -> bool:
    if file.twin == heard or (file.attempts and not file.records):  # it may end who reads it
        return False
    return _was_heard(file, order) or (file.state == "pending" and not file.twin)


def _was_heard(file: FileProgress, order: Sequence[str]) -> bool:
    if file.twin:
        return stands_in(file, order)
    return file.records > 0 and file.state != "set_aside"
