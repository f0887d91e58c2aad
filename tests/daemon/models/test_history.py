"""What is read of the history of champions, whatever stands there."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from daemon.models.history import Switch, champions, happened, parsed, written

A, B = "a-00000001", "b-00000002"


def _switch(model: str | None, previous: str | None, by: Any = "promote") -> Switch:
    return Switch("2026-11-22T20:00:00.000000Z", model, previous, by)


def test_a_history_is_read_as_it_was_written_less_what_is_none() -> None:
    switches = [_switch(A, None), _switch(B, A, "retrain")]
    assert parsed(written(switches).decode() + "{half\n[]\n{}\n") == switches


def test_a_switch_that_was_noted_but_not_made_did_not_happen() -> None:
    switches = [_switch("a", None), _switch("b", "a")]
    assert happened(switches, "a") == switches[:1]
    assert happened(switches, "b") == switches
    assert happened(switches, "by hand") == switches
    assert champions(switches, "by hand") == [None, "a", "b", "by hand"]


@pytest.mark.parametrize(
    "foreign",
    [
        {"model": "foo"}, {"model": 5}, {"model": "../etc-00000000"}, {"previous": []},
        {"time": None}, {"time": "2026"}, {"by": "me"}, {"by": {}}, {"reason": 5}, {"more": 1},
    ],
)  # fmt: skip
def test_a_line_of_foreign_values_is_none(foreign: dict[str, Any]) -> None:
    switches = [_switch(A, None)]
    line = json.dumps({**asdict(_switch(B, A)), **foreign})
    assert parsed(f"{line}\n{'[' * 9999}\n" + written(switches).decode()) == switches
