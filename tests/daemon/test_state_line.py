"""The line of `systemctl status` says what an operator wants to know first."""

from datetime import UTC, datetime

from daemon.backlog import Backlog
from daemon.state_line import state_line

NOW = datetime(2018, 10, 28, 12, tzinfo=UTC)


def test_it_tells_how_far_sound_is_scored_what_waits_and_which_model_scores() -> None:
    newest = datetime(2018, 10, 28, 11, 55, tzinfo=UTC)
    line = state_line(NOW, newest=newest, backlog=Backlog(2, 600.0), model="m-1", trouble=None)
    scored = "scored up to 2018-10-28 11:55:00, 5.0 min ago"
    assert line == f"{scored}; backlog 2 files, 10.0 min; m-1"


def test_trouble_comes_first_and_in_one_line() -> None:
    line = state_line(NOW, newest=None, backlog=Backlog(), model="m", trouble="gone\naway\x1b")
    assert line == "TROUBLE: gone away\\x1b; nothing scored yet; no backlog; m"
