"""Files in the order of their sound (pure)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from acoio.filename import FileName, parse_filename
from daemon.progress import FileProgress

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


def follows(
    name: str, heard: str | None, order: Sequence[str], files: Mapping[str, FileProgress]
) -> bool:
    """Say whether there is no sound between the file heard last and this one.

    It need not be in the drop any more; `order` is what is, in order of time.
    """
    if heard is None or name == heard:
        return True
    if time_order(name) < time_order(heard):
        return False
    between = slice(
        bisect_right(order, time_order(heard), key=time_order),
        bisect_left(order, time_order(name), key=time_order),
    )
    return not any(has_sound(earlier, files) for earlier in order[between])


def up_to(name: str, order: Sequence[str]) -> Sequence[str]:
    """Return the files before one, and itself."""
    return order[: bisect_right(order, time_order(name), key=time_order)]


def next_heard(
    name: str, order: Sequence[str], files: Mapping[str, FileProgress]
) -> FileProgress | None:
    """Return the file after one, within a day of it, if it was heard already."""
    for later in order[bisect_right(order, time_order(name), key=time_order) :]:
        if later not in files or parsed(later).begin - parsed(name).begin > _NEAR:
            return None
        if has_sound(later, files):
            return files[later]
    return None


def has_sound(name: str, files: Mapping[str, FileProgress]) -> bool:
    """Say whether sound of a file was heard."""
    return name in files and files[name].records > 0 and files[name].state != "set_aside"
