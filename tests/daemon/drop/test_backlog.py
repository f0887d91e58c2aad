from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.drop.arrivals import Task
from daemon.drop.backlog import LONG_S, Speed, bytes_a_second, waiting_bytes
from daemon.drop.catching_up import CatchingUp
from daemon.drop.listing import Seen
from daemon.metrics import Metrics
from daemon.progress import FileProgress
from tests.daemon.fakes import files_of

_KNOWN = {
    "half": FileProgress("half", 1000, 1, bytes_read=400),
    "shrunk": FileProgress("shrunk", 1000, 1, bytes_read=900),
}
_A_SECOND = 11e6 / 300


def _task(name: str, size: int, do: Any = "read") -> Task:
    return Task(do, Seen(name, size, 1))


def test_what_waits_is_what_was_not_read_of_files_that_are_to_be_read() -> None:
    tasks = [
        _task("new", 500),
        _task("half", 1000),
        _task("shrunk", 100),
        _task("half", 1000, "close"),
        _task("poor", 7000, "set_aside"),
    ]
    assert waiting_bytes(tasks, _KNOWN) == 500 + 600


def test_a_second_takes_the_bytes_it_took_so_far() -> None:
    assert bytes_a_second(48_000.0, 24_000.127, 24_000.0) == pytest.approx(48_000.0)
    assert bytes_a_second(0, 0, 24_000.0) == pytest.approx(_A_SECOND)


def test_the_time_left_is_by_the_speed_of_the_last_minute() -> None:
    speed = Speed()
    speed.push(0.0, 0.0)
    assert (speed.left_s(0.0), speed.left_s(10.0)) == (0.0, None)
    for now_s in range(1, 101):
        speed.push(float(now_s), 100.0 * now_s)
    assert speed.left_s(5000.0) == pytest.approx(50.0)
    for now_s in range(101, 162):
        speed.push(float(now_s), 10_000.0)
    assert speed.left_s(5000.0) is None


def test_a_long_backlog_is_told_of_every_ten_seconds_and_a_short_one_is_not() -> None:
    metrics = Metrics("a", 1.0)
    chore = CatchingUp(files_of(), metrics, rate_hz=24_000.0)
    chore.take([_task("day", round(24 * 3600 * _A_SECOND))])
    with capture_logs() as said:
        for now_s in range(100, 131):
            metrics.heard_s += 50.0
            chore.do(float(now_s))
    first, *_, last = said
    assert [line["event"] for line in said] == ["catching up"] * 4
    assert (first["files"], first["sound_s"], first["left_s"]) == (1, 86_400, None)
    assert (last["left_s"], last["times_real_time"]) == (1728, 50)
    value = metrics.registry.get_sample_value
    assert value("kilokai_backlog_seconds") == pytest.approx(86_400, rel=1e-6)
    assert value("kilokai_backlog_left_seconds") == pytest.approx(1728, rel=1e-6)
    chore.take([_task("minute", round((LONG_S - 1) * _A_SECOND))])
    with capture_logs() as said:
        for now_s in range(131, 150):
            chore.do(float(now_s))
    assert said == []
    assert value("kilokai_backlog_seconds") == pytest.approx(LONG_S - 1, rel=1e-4)


def test_what_is_shown_ends_where_all_that_was_found_is_heard() -> None:
    metrics, shown = Metrics("s", 1.0), list[tuple[float, float]]()
    chore = CatchingUp(files_of(), metrics, rate_hz=24_000.0)
    chore.show = lambda *seconds: shown.append(seconds)
    metrics.heard_s = 100.0
    chore.take([_task("five minutes", round(300 * _A_SECOND))])
    for now_s, heard_s in enumerate((100.0, 250.0, 400.0)):
        metrics.heard_s = heard_s
        chore.do(100.0 + now_s)
    assert [heard for heard, _ in shown] == [100.0, 250.0, 400.0]
    assert [whole for _, whole in shown] == [pytest.approx(400.0, rel=1e-6)] * 3


def test_the_pace_is_known_after_a_quarter_of_an_hour_and_never_of_an_archive() -> None:
    metrics = Metrics("m", 1.0)
    chore = CatchingUp(files_of(), metrics, rate_hz=24_000.0)
    for minute in range(17):
        metrics.heard_s = 300.0 * (minute // 5)
        chore.do(60.0 * minute)
        assert (chore.as_json()["pace"] is None) == (minute <= 15)
    assert chore.as_json()["pace"] == 1.0
    chore.is_archive = True
    assert chore.as_json()["pace"] is None


def test_work_went_on_when_it_was_said_to_last() -> None:
    chore = CatchingUp(files_of(), Metrics("m", 1.0), rate_hz=24_000.0)
    begun = chore.as_json()["went_on_at"]
    chore.beat(went_on=False)
    assert chore.as_json()["went_on_at"] == begun
    chore.beat(went_on=True)
    assert chore.as_json()["went_on_at"] > begun
