"""A damaged status file costs what it said, and never the look at the station."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daemon.health.status import status
from daemon.health.status_file import STATUS_FILE, last_said
from daemon.health.status_lines import status_lines
from daemon.ledger.database import locked
from daemon.ledger.ledger import open_ledger
from detector.values import iso

_NOW = iso(datetime.now(UTC))
_RATIO = {"statistic": 1.0, "expected": 0.1, "p99": 0.5, "ratio": 2.0}
_SPAN = {"per_hour": 0.9, "low": 0.3, "high": 2.1, "alarms": 9, "hours": 9.9}
_SIGN = {"pid": 7, "started": _NOW, "written": _NOW, "heartbeat_s": 3600.0}
_WHOLE: dict[str, Any] = {
    **_SIGN,
    "stopped": None,
    "station": "aco",
    "timezone": "Pacific/Honolulu",
    "drop": "/d",
    "metrics": "127.0.0.1:9108",
    "bus": ["tcp://127.0.0.1:5556"],
    "rate_hz": 24000.0,
    "store_full": False,
    "drop_trouble": None,
    "model": "ocean",
    "threshold": 20.0,
    "model_from": "registry",
    "model_trouble": None,
    "went_on_at": _NOW,
    "heard_at": _NOW,
    "newest_scored": _NOW,
    "context_s": 60.0,
    "unscored_s": 0.0,
    "times_real_time": 1.0,
    "pace": None,
    "backlog": {"files": 3, "seconds": 900.0, "left_s": None},
    "drift": {"windows": 9, "score": _RATIO, "level": _RATIO, "moved": []},
    "alarms": {"promised_per_hour": 1.0, "day": _SPAN, "week": None},
    "config": {"reloaded": None, "restart_for": ["drop.path"], "faults": []},
}
_ODD: list[Any] = [
    *(1, -1, 10**400, float("inf"), float("nan"), True),
    *("", "x", "\ud800", "../..", "2026-05-01", []),
    *([1], {}, {"files": 1}, {"ratio": 1.0}, {"score": {}}, {"day": 1}, {"faults": 5}),
]


def _look(store: Path, said: Any) -> dict[str, Any]:
    """Return the status, as a person sees it and as JSON."""
    (store / STATUS_FILE).write_text(json.dumps(said))
    found = status(store)
    "\n".join(status_lines(found)).encode()
    json.dumps(found, allow_nan=False)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with open_ledger(tmp_path):
        return tmp_path


def test_a_whole_one_is_understood(store: Path) -> None:
    with locked(store):
        assert _look(store, _WHOLE)["state"] == "well"
        assert _look(store, _SIGN)["state"] == "well"
    assert last_said(store)[0] == _SIGN


@pytest.mark.parametrize("key", _WHOLE)
def test_no_value_of_another_kind_hides_the_rest(store: Path, key: str) -> None:
    with locked(store):
        for odd in _ODD:
            found = _look(store, _WHOLE | {key: odd})
            said = last_said(store)[0]
            assert said == {} or said.keys() >= _WHOLE.keys() - {key}
            assert found["daemon"]["running"] == (said != {} and not said.get("stopped"))


@pytest.mark.parametrize("key", _SIGN)
def test_without_a_sign_of_life_nothing_was_said(store: Path, key: str) -> None:
    for said in (
        {"a": 1},
        {**_WHOLE, key: "?"},
        {name: _WHOLE[name] for name in _SIGN.keys() - {key}},
    ):
        with locked(store):
            assert _look(store, said)["state"] == "starting"
        assert last_said(store)[0] == {}


def test_what_nests_too_deep_says_nothing(store: Path) -> None:
    (store / STATUS_FILE).write_text("[" * 20_000)
    assert last_said(store) == ({}, 0.0)
