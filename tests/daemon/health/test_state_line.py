"""The line of `systemctl status` says what an operator wants to know first."""

from datetime import UTC, datetime

import pytest

from daemon.config import Config
from daemon.drop.backlog import Backlog
from daemon.health.state_line import state_line, telling
from daemon.ledger.ledger import open_ledger

NOW = datetime(2018, 10, 28, 12, tzinfo=UTC)


def test_it_tells_how_far_sound_is_scored_what_waits_and_which_model_scores() -> None:
    newest = datetime(2018, 10, 28, 11, 55, tzinfo=UTC)
    line = state_line(NOW, newest=newest, backlog=Backlog(2, 600.0), model="m-1", trouble=None)
    scored = "scored up to 2018-10-28 11:55:00, 5.0 min ago"
    assert line == f"{scored}; backlog 2 files, 10.0 min; m-1"


def test_trouble_comes_first_and_in_one_line() -> None:
    line = state_line(NOW, newest=None, backlog=Backlog(), model="m", trouble="gone\naway\x1b")
    assert line == "TROUBLE: gone away\\x1b; nothing scored yet; no backlog; m"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({}, "nothing scored yet; no backlog; no model"),
        ({"store_full": True}, "TROUBLE: the store is full: work waits for room; "),
        (
            {"model_trouble": "model refused: a", "model": "b"},
            "TROUBLE: model refused: a; b scores",
        ),
        ({"went_on_at": "2018-10-28T12:00:00Z"}, "TROUBLE: sound waits and nothing has gone on "),
    ],
)
def test_its_trouble_is_that_of_the_status(
    config: Config, said: dict[str, object], line: str
) -> None:
    backlog = {"files": 0, "seconds": 0.0, "left_s": None}
    with open_ledger(config.store.path) as ledger:
        assert telling(ledger, lambda: {"backlog": backlog, **said})().startswith(line)
