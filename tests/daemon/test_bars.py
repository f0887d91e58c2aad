"""Progress is for a terminal alone, and no line that is written beside it is broken."""

from __future__ import annotations

import io
import logging
import re
import sys

import pytest
import structlog

from daemon.service.logs import set_up_logs
from daemon.show import Bar, with_bar

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_WIPED = re.compile(r"[^\n]*\n(?:\x1b\[\?25h)?\r\x1b\[1A\x1b\[2K")  # a line, gone back to


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """Return what stands there in the end."""
        left = _WIPED.sub("", self.getvalue()).splitlines()
        return [_CODES.sub("", line).rpartition("\r")[2] for line in left]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> _Terminal:
    monkeypatch.setenv("TERM", "xterm")
    return _Terminal()


def test_lines_of_the_log_stand_whole_above_a_bar_that_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch, terminal: _Terminal
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    try:
        with Bar("scoring", 2.0) as bar:
            set_up_logs(clear=bar.hidden)
            for k in (1, 2):
                bar.reach(k)
                structlog.get_logger().info(f"file {k} done")
        structlog.get_logger().info("stopping")
    finally:
        structlog.reset_defaults()
    told = [line.rpartition("] ")[2].strip() for line in terminal.lines()]
    assert told == ["file 1 done", "file 2 done", "stopping"]


def test_a_bar_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, terminal: _Terminal) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    with Bar("scoring", 8.0) as bar:
        bar.reach(2.0)
        assert " 25%" in terminal.lines()[-1]
        bar.reach(2.0, 4.0)
        assert " 50%" in terminal.lines()[-1]


def test_nothing_is_shown_where_standard_error_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar("scoring", 2.0) as bar:
        bar.reach(1.0)
        with bar.hidden():
            stream.write("a line\n")
    assert list(with_bar("ab", "drawing", 2)) == ["a", "b"]
    assert stream.getvalue() == "a line\n"
