import os
import time
from pathlib import Path
from typing import Any, Final

import pytest

from acoio.filename import parse_filename
from daemon.drop.arrivals import Task
from daemon.drop.lanes import MANY, fork_at, is_astray, joins, lane_of, parted
from daemon.drop.listing import Seen
from daemon.progress import LaneState
from daemon.service.run import run
from detector.values import iso
from tests.daemon.bench import Found, found_in
from tests.daemon.conftest import config_of
from tests.daemon.sea import Sea

_SETTLED_S: Final = 60.0


def _name(minute: int) -> str:
    return f"2018-10-28--00.{minute:02d}.HYD24BBpk"


def _tasks(minutes: range, *, age_s: float = 0.0) -> list[Task]:
    return [Task("read", Seen(_name(m), 10_000, 1, age_s=age_s)) for m in minutes]


def test_sound_before_what_was_heard_last_is_backlog_and_the_rest_is_new() -> None:
    live = LaneState({}, _name(20))
    assert lane_of(_name(19), live) == "backlog"
    assert [lane_of(_name(m), live) for m in (20, 21)] == ["live", "live"]
    assert lane_of(_name(0), LaneState()) == "live"


def test_new_sound_goes_first_once_much_waits_and_only_then() -> None:
    live = LaneState({}, _name(0))
    assert fork_at(_tasks(range(MANY)), live, {}) is None
    assert fork_at(_tasks(range(MANY + 1)), live, {}) == _name(MANY)


def test_an_archive_is_worked_off_in_order() -> None:
    assert fork_at(_tasks(range(50), age_s=3600), LaneState(), {}) is None


def test_what_is_heard_as_it_comes_already_goes_on() -> None:
    tasks = _tasks(range(38), age_s=60) + _tasks(range(38, 40))
    assert fork_at(tasks, LaneState({}, _name(38)), {}) is None


@pytest.mark.parametrize(
    "ahead",
    ["2018-10-28--00.55", "2018-10-28--12.00", "2019-10-28--00.00", "2099-01-01--00.00"],
)
@pytest.mark.parametrize("new", [0, 20, 45])
def test_new_sound_goes_first_whatever_times_other_names_bear(ahead: str, new: int) -> None:
    """A recorder was ahead by minutes, hours or years, and was set right, or set back."""
    live = LaneState({}, f"{ahead}.HYD24BBpk")
    waiting = [task for task in _tasks(range(2, 40), age_s=60) if task.seen.name != _name(new)]
    tasks = sorted([*waiting, *_tasks(range(new, new + 1))], key=lambda task: task.seen.name)
    at = fork_at(tasks, live, {})
    moved = LaneState({}, at) if at else live
    first, then = parted([task.seen for task in tasks], moved)
    assert [*first, *then][0] == _name(new)


def test_the_backlog_ends_when_nothing_of_it_is_left_or_may_still_grow() -> None:
    live = LaneState({}, _name(20))
    assert joins(_tasks(range(20, 30)), [_name(20)], live)
    assert not joins(_tasks(range(19, 20)), [], live)
    assert not joins([], [_name(19)], live)


@pytest.mark.usefixtures("loud")
def test_sound_worked_off_beside_new_sound_has_the_same_scores(
    unbroken: Found, drop: Path, sea: Sea, tmp_path: Path
) -> None:
    written_s = time.time() - _SETTLED_S
    for name, data in sea.cut(1):
        (drop / name).write_bytes(data)
        os.utime(drop / name, (written_s, written_s))
    config = config_of(drop, tmp_path / "store")
    files = sorted(path.name for path in drop.iterdir())
    assert len(files) > MANY
    assert run(config, until_idle=True) == 0
    scores, events = found_in(tmp_path / "store")
    assert scores == unbroken[0]
    lanes_meet = iso(parse_filename(files[-1]).begin)
    assert _before(lanes_meet, events) == _before(lanes_meet, unbroken[1])


def _before(instant: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events that ended before an instant, without where their sound lies."""
    places = ("file", "sample")
    heard = [event for event in events if event["end"] < instant]
    assert heard
    return [{k: v for k, v in event.items() if k not in places} for event in heard]


def test_a_file_named_in_the_future_does_not_make_all_sound_late_for_ever() -> None:
    live, order = LaneState({}, "2099-01-01--00.00.HYD24BBpk"), [_name(0), _name(5)]
    tasks = _tasks(range(5, 6))
    assert is_astray(live, tasks, order)  # whether it was deleted meanwhile
    assert is_astray(live, tasks, [*order, "2099-01-01--00.00.HYD24BBpk"])  # or not
    assert not is_astray(LaneState({}, _name(20)), tasks, [*order, _name(20)])
    after_days = LaneState({}, "2018-11-05--00.00.HYD24BBpk")
    assert not is_astray(after_days, [], [*order, "2018-11-05--00.00.HYD24BBpk"])
