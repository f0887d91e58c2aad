"""What a line of the log is."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from errno import EAGAIN, ENOSPC
from pathlib import Path
from typing import Any

import pytest
import structlog

from daemon.service.logs import set_up_logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    handlers = logging.getLogger().handlers
    stream = io.StringIO()
    set_up_logs(stream)
    yield stream
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()


def test_a_line_is_json_that_begins_with_when_how_bad_and_what(stream: io.StringIO) -> None:
    structlog.get_logger().warning("a file waits", path=Path("/drop/a\nb"), files=3)
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert list(said)[:3] == ["timestamp", "level", "event"]
    assert (said["level"], said["event"], said["files"]) == ("warning", "a file waits", 3)
    assert "\n" not in said["path"]  # a name from the drop cannot forge a line


def test_warnings_of_libraries_are_lines_too(stream: io.StringIO) -> None:
    logging.getLogger("watchdog").warning("queue is full")
    said = json.loads(stream.getvalue())
    assert (said["event"], said["library"]) == ("queue is full", "watchdog")


@pytest.mark.parametrize(
    ("message", "args", "wanted"),
    [("%d", ("x",), "%d"), ("%s %s", ("x",), "%s %s"), (["no text"], (), "['no text']")],
)
def test_a_warning_that_its_library_got_wrong_is_a_line_and_raises_nothing(
    stream: io.StringIO, message: Any, args: tuple[str, ...], wanted: str
) -> None:
    set_up_logs(stream)  # without pytest's own handler, which raises
    logging.getLogger("lib").warning(message, *args)
    assert json.loads(stream.getvalue())["event"] == wanted


def test_names_within_a_list_are_plain(stream: io.StringIO) -> None:
    structlog.get_logger().warning("x", files=[Path("a\nb"), "\ud83c", 3], keys=("a\tb",))
    said = json.loads(stream.getvalue())
    assert (said["files"], said["keys"]) == (["a\\nb", "\\ud83c", 3], ["a\\tb"])


class _Full(io.StringIO):
    """A stream on a disk that is full for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.faults = [OSError(ENOSPC, "No space left"), BlockingIOError(EAGAIN, "again")]

    def write(self, text: str) -> int:
        if self.faults:
            raise self.faults.pop()
        return super().write(text)


def test_a_full_disk_costs_the_lines_of_its_time_and_no_others(stream: io.StringIO) -> None:
    full = _Full()
    set_up_logs(full)
    for event in ("lost", "lost too", "kept"):
        structlog.get_logger().warning(event)
    assert json.loads(full.getvalue())["event"] == "kept"


def test_a_reader_that_has_gone_stops_nothing(stream: io.StringIO) -> None:
    stream.close()
    structlog.get_logger().warning("nobody reads this")
