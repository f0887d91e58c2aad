"""What is not well, in a word and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.health.troubles import ailments, troubles
from detector.values import iso

_NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _ago(**span: float) -> str:
    return iso(_NOW - timedelta(**span))


def _daemon(**changed: Any) -> dict[str, Any]:
    written = _ago(hours=1)
    return {
        "running": True,
        "written": written,
        "held": True,
        "stopped": None,
        "finished": False,
        **changed,
    }


def _said(**changed: Any) -> dict[str, Any]:
    values = {"started": _ago(hours=1), "heard_at": _ago(minutes=1), "went_on_at": _ago(seconds=1)}
    backlog = {"files": 0, "seconds": 0.0}
    model = {"model": "b", "model_trouble": None, "context_s": 62.0, "unscored_s": 90.0}
    scored = {"newest_scored": _ago(minutes=6), "pace": 1.0}
    return {**values, **model, **scored, "backlog": backlog, "store_full": False, **changed}


def test_what_is_not_well_is_said_in_a_word_and_why_the_worst_first() -> None:
    assert ailments(_said(), _NOW) == {}
    full = {"full": "the store is full: work waits for room"}
    deaf = {"drop_unreachable": "the drop cannot be listed: /d: gone"}
    assert ailments(_said(store_full=True), _NOW) == full
    assert ailments(_said(drop_trouble="/d: gone"), _NOW) == deaf
    quiet = _said(heard_at=None)
    assert ailments(quiet, _NOW) == {"no_input": "nothing heard for 60 minutes: no new files"}
    waits = {**quiet, "backlog": {"files": 4}}
    assert ailments(waits, _NOW) == {"no_input": "nothing heard for 60 minutes: 4 files wait"}
    more = {"store_full": True, "unscored_s": 1e3, "went_on_at": _ago(hours=1)}
    more |= {"model_trouble": "model refused: a", "config": {"faults": ["b", "c"]}}
    found = ailments({**quiet, **more}, _NOW)
    assert list(found) == ["full", "stalled", "no_input", "unscored", "model", "config"]
    assert found["model"] == "model refused: a; b scores"


def test_a_daemon_that_runs_and_gets_nowhere_is_stalled() -> None:
    assert "stalled" not in ailments(_said(went_on_at=_ago(seconds=5)), _NOW)
    found = ailments(_said(went_on_at=_ago(seconds=6)), _NOW)
    assert found == {"stalled": "sound waits and nothing has gone on for 6 s"}
    seldom = {"written": _ago(hours=2), "went_on_at": _ago(hours=2, seconds=1)}
    assert ailments(_said(**seldom), _NOW) == {}  # its heartbeat is a slow one


def test_sound_that_is_heard_and_not_scored_is_no_life() -> None:
    assert ailments(_said(unscored_s=122.0), _NOW) == {}
    found = ailments(_said(unscored_s=123.0, newest_scored=None), _NOW)
    assert found == {"unscored": "2.0 min of sound were heard and none of it scored"}


@pytest.mark.parametrize(
    ("said", "is_behind"),
    [
        ({"newest_scored": _ago(days=23)}, True),  # late, with nothing to catch up on
        ({"backlog": {"files": 900, "seconds": 2.7e5}, "newest_scored": None}, True),
        ({"backlog": {"files": 900, "seconds": 2.7e5}, "pace": 80.0}, False),  # worked off
        ({"newest_scored": _ago(days=3000), "pace": 40.0}, False),  # an archive comes in
        ({"newest_scored": _ago(days=3000), "pace": None}, False),  # --until-idle, or a replay
        ({"newest_scored": _ago(minutes=29), "backlog": {"seconds": 1800.0}}, False),
    ],
)
def test_behind_is_who_hears_late_and_no_faster_than_sound_comes(
    said: dict[str, Any], is_behind: bool
) -> None:
    assert list(ailments(_said(**said), _NOW)) == ["lagging"] * is_behind


def test_nothing_is_known_of_a_daemon_that_says_little() -> None:
    assert ailments({"started": _ago(minutes=1)}, _NOW) == {}


@pytest.mark.parametrize(
    ("daemon", "word"),
    [
        ({"stopped": "x", "held": False}, "stopped"),
        ({"stopped": "x"}, "starting"),  # what it says is of the run before
        ({}, "starting"),
        ({"held": False}, "down"),
        ({"held": False, "written": None}, "down"),
    ],
)
def test_what_does_not_run_has_no_other_trouble(daemon: dict[str, Any], word: str) -> None:
    found = troubles(_daemon(running=False, **daemon), _said(store_full=True), _NOW)
    assert list(found) == [word]
