"""What a retraining says of itself is whole, and honest after its death too."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from daemon.locks import HeldError, is_held, locked
from daemon.metrics import Metrics
from daemon.retraining.state import (
    KILLED,
    LOCK_FILE,
    STATE_FILE,
    State,
    read_state,
    state_before,
    write_state,
)
from daemon.retraining.state_metrics import RetrainMetrics

BEGIN, END = "2024-06-01T09:00:00.000000Z", "2024-06-01T09:10:00.000000Z"


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    state = (
        State()
        .begun(BEGIN, "old")
        .ended(END, "refused", reasons=("too many alarms",), candidate="new")
    )
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert json.loads((tmp_path / STATE_FILE).read_text())["reasons"] == ["too many alarms"]


def test_refusals_and_failures_are_counted_until_one_is_accepted() -> None:
    state = State()
    for outcome in ("refused", "too_little", "failed"):
        state = state.begun(BEGIN, "old").ended(END, outcome)
    assert (state.refused_in_a_row, state.accepted_at) == (2, None)  # too little is no refusal
    state = state.ended(END, "accepted", candidate="new")
    assert (state.refused_in_a_row, state.accepted_at) == (0, END)
    assert state.ended(END, "refused", candidate="newer").accepted_at == END


def test_too_little_sound_is_counted_until_there_is_enough_to_try() -> None:
    state = State()
    for outcome in ("too_little", "failed", "too_little"):
        state = state.begun(BEGIN, "old").ended(END, outcome)
    assert state.too_little_in_a_row == 2
    for decided in ("refused", "accepted", "out_of_season"):
        assert state.ended(END, decided).too_little_in_a_row == 0


def test_it_runs_as_long_as_somebody_holds_the_lock(tmp_path: Path) -> None:
    begun = State(refused_in_a_row=1).begun(BEGIN, "old")
    with locked(tmp_path / LOCK_FILE):
        write_state(tmp_path, begun)
        assert read_state(tmp_path) == begun
    left = read_state(tmp_path)
    assert left is not None
    assert (left.state, left.outcome, left.reasons) == ("idle", "failed", (KILLED,))
    assert (left.end, left.refused_in_a_row) == (BEGIN, 2)


def test_who_holds_the_lock_knows_that_the_one_before_was_killed(tmp_path: Path) -> None:
    write_state(tmp_path, State().begun(BEGIN, "old"))
    with locked(tmp_path / LOCK_FILE):
        assert state_before(tmp_path).outcome == "failed"


_NONE = (
    "", "[]", "{}", "null", '{"state": ', "\x00", "[" * 9999, '{"outcome": "failed"}',
    f'{{"end": "{END}"}}', '{"state": "running"}',
    f'{{"state": "running", "begin": "{BEGIN}", "end": "{END}"}}',
)  # fmt: skip
_ODD = (
    '{"state": "asleep"}', '{"state": null}', '{"state": []}', '{"outcome": "well"}',
    '{"outcome": {}}', '{"reasons": 5}', '{"reasons": null}', '{"reasons": [1]}',
    '{"begin": "yesterday"}', '{"end": "yesterday"}', '{"end": 5}', '{"end": []}', '{"end": ""}',
    '{"accepted_at": "0"}', '{"accepted_at": {}}', '{"candidate": 1}', '{"champion": 0}',
    '{"refused_in_a_row": "x"}', '{"refused_in_a_row": -1}', '{"refused_in_a_row": 1e999}',
    '{"refused_in_a_row": 99999999999999999999}', '{"end": null}', '{"outcome": null}',
    '{"state": "running", "refused_in_a_row": null}', '{"too_little_in_a_row": -1}',
    '{"state": "running", "begin": null}', '{"state": "running", "outcome": null}',
)  # fmt: skip


def _with(text: str) -> str:
    whole = State().begun(BEGIN, "old").ended(END, "refused")
    return json.dumps(asdict(whole) | json.loads(text))


@pytest.mark.parametrize("text", [*_NONE, *map(_with, _ODD)])
def test_a_file_that_says_nothing_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE_FILE).write_text(text)
    assert read_state(tmp_path) is None
    assert state_before(tmp_path) == State()
    RetrainMetrics(tmp_path, Metrics("a", 1.0)).do(0.0)


def test_a_later_version_may_say_more(tmp_path: Path) -> None:
    state = State(champion="old").ended(END, "refused")
    write_state(tmp_path, state)
    said = json.loads((tmp_path / STATE_FILE).read_text())
    (tmp_path / STATE_FILE).write_text(json.dumps({**said, "mood": "good"}))
    assert read_state(tmp_path) == state


def test_a_lock_is_free_again_when_its_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / LOCK_FILE
    code = (
        "import sys; from pathlib import Path; from daemon.locks import locked\n"
        f"with locked(Path({str(path)!r})): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_held(path)
        with pytest.raises(HeldError, match=f"held by process {process.pid}"), locked(path):
            pass
        process.kill()
        process.wait(90)
    assert not is_held(path)
    with locked(path):
        assert is_held(path)
