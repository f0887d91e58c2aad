"""What is not well, in a word and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.troubles import troubles
from detector.values import iso

_NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _found(**daemon: Any) -> dict[str, Any]:
    started = iso(_NOW - timedelta(hours=1))
    values = {"running": True, "written": started, "started": started, "store_full": False}
    values |= {"held": True, "stopped": None, "drop_trouble": None, "model_trouble": None}
    return {
        "daemon": {**values, **daemon},
        "heard": {"heard_at": iso(_NOW - timedelta(minutes=1))},
        "backlog": {"files": 0},
    }


def test_what_is_not_well_is_said_in_a_word_and_why_the_worst_first() -> None:
    assert troubles(_found(), _NOW) == {}
    full = {"full": "the store is full: work waits for room"}
    deaf = {"deaf": "the drop cannot be listed: /d: gone"}
    assert troubles(_found(store_full=True), _NOW) == full
    assert troubles(_found(drop_trouble="/d: gone"), _NOW) == deaf
    quiet = {**_found(), "heard": {"heard_at": None}}
    assert troubles(quiet, _NOW) == {"quiet": "nothing heard for 60 minutes: no new files"}
    stuck = {**quiet, "backlog": {"files": 4}}
    assert troubles(stuck, _NOW) == {"quiet": "nothing heard for 60 minutes: 4 files wait"}
    refused = _found(store_full=True, model_trouble="model refused: a")["daemon"]
    every = {**quiet, "daemon": refused, "model": "b", "config": {"faults": ["b", "c"]}}
    assert list(troubles(every, _NOW)) == ["full", "quiet", "model", "config"]


@pytest.mark.parametrize(
    ("daemon", "word"),
    [
        ({"stopped": "x"}, "stopped"),
        ({}, "starting"),
        ({"held": False}, "down"),
        ({"held": False, "written": None}, "down"),
    ],
)
def test_what_does_not_run_has_no_other_trouble(daemon: dict[str, Any], word: str) -> None:
    assert list(troubles(_found(running=False, store_full=True, **daemon), _NOW)) == [word]
