"""Which sound is heard as it comes, and which is worked off beside it (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from daemon.drop.arrivals import Task
from daemon.drop.order import time_order
from daemon.progress import Lane, LaneState

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


def fork_at(tasks: Sequence[Task], live: LaneState, backlog: LaneState) -> str | None:
    """Return the file from which new sound is heard by itself from now on, if too much waits.

    An archive, whose newest file is old, has no new sound.
    """
    waiting = [task.seen for task in tasks if task.do == "read"]
    if len(waiting) <= MANY or backlog != LaneState() or waiting[-1].age_s > _NEW_S:
        return None
    if any(lane_of(seen.name, live) == "backlog" for seen in waiting):
        return None
    return waiting[-1].name


def joins(tasks: Sequence[Task], waiting: Sequence[str], live: LaneState) -> bool:
    """Say whether nothing is left of the backlog."""
    names = [*waiting, *(task.seen.name for task in tasks if task.do in _OF_SOUND)]
    return all(lane_of(name, live) == "live" for name in names)
