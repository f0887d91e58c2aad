"""What a line of the log is."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

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


def test_a_reader_that_has_gone_stops_nothing(stream: io.StringIO) -> None:
    stream.close()
    structlog.get_logger().warning("nobody reads this")
