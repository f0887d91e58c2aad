"""Which sound is heard as it comes, and which is worked off beside it (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from daemon.drop.arrivals import Task
from daemon.drop.listing import Seen
from daemon.drop.order import time_order
from daemon.progress import FileProgress, Lane, LaneState

MANY: Final = 6  # files, half an hour of sound: so much may wait before new sound goes first
_OF_SOUND: Final = ("read", "close", "compare", "rehear")
_ASTRAY: Final = timedelta(days=1)
_NEW_S: Final = 600.0  # a file that was written to since then


def lane_of(name: str, live: LaneState) -> Lane:
    """Return where a file is heard: new sound is all that is not before what was heard last."""
    if live.heard is None or time_order(name) >= time_order(live.heard):
        return "live"
    return "backlog"


def is_astray(live: LaneState, tasks: Sequence[Task], order: Sequence[str]) -> bool:
    """Say whether sound comes that lies far before what was heard last: a name from the future."""
    waits = any(task.do == "read" and lane_of(task.seen.name, live) == "backlog" for task in tasks)
    if live.heard is None or not waits:
        return False
    others = [name for name in order[-2:] if name != live.heard]
    return bool(others) and time_order(live.heard)[0] - time_order(others[-1])[0] > _ASTRAY


def fork_at(
    tasks: Sequence[Task], live: LaneState, files: Mapping[str, FileProgress]
) -> str | None:
    """Return the file from which new sound is heard by itself from now on, if much goes before it.

    It is the one written to last, and since the file that was heard as it came, whatever
    time its name bears: a clock may have been wrong, or set.  An archive, all of whose files
    are old, has no new sound.
    """
    waiting = [task.seen for task in tasks if task.do == "read"]
    if len(waiting) <= MANY:
        return None
    newest = min(reversed(waiting), key=lambda seen: seen.age_s)
    new, old = parted(waiting, live)
    much = [*new, *old].index(newest.name) >= MANY
    last = files.get(live.heard or "")
    since = last is None or newest.mtime_ns > last.mtime_ns
    return newest.name if much and since and newest.age_s <= _NEW_S else None


def parted(waiting: Sequence[Seen], live: LaneState) -> tuple[list[str], list[str]]:
    """Return the names that are heard as they come, and those that are worked off after them."""
    lanes: dict[Lane, list[str]] = {"live": [], "backlog": []}
    for seen in waiting:
        lanes[lane_of(seen.name, live)].append(seen.name)
    return lanes["live"], lanes["backlog"]


def joins(tasks: Sequence[Task], waiting: Sequence[str], live: LaneState) -> bool:
    """Say whether nothing is left of the backlog."""
    names = [*waiting, *(task.seen.name for task in tasks if task.do in _OF_SOUND)]
    return all(lane_of(name, live) == "live" for name in names)
