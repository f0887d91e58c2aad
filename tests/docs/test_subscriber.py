"""The Python clients of the pages, run as they stand there."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.conftest import until
from tests.daemon.station import Station, station
from tests.docs.snippets import DOCS, snippets

_EVENT: dict[str, Any] = {"status": "open", "begin": "2024-03-01T06:00:00.000000Z",
                          "low_hz": 20.0, "high_hz": 60.0, "score": 30.5}  # fmt: skip


@contextmanager
def _client(code: str, running: Station, out: Path) -> Iterator[None]:
    """Run a client of these addresses; what it prints goes to `out`."""
    for stated, address in (("5556", running.publish), ("5557", running.replay)):
        code = code.replace(f"tcp://127.0.0.1:{stated}", address)
    with out.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=file, cwd=DOCS.parent)
    try:
        yield
    finally:
        process.kill()
        process.wait(90)


def _say(running: Station) -> None:
    message = running.shelf.add(**_EVENT)
    running.outgoing.append((message.topic, message.text))


@pytest.mark.parametrize(
    ("page", "number", "words"),
    [
        ("bus.md", 0, "open 2024-03-01T06:00:00.000000Z 20.0 60.0"),
        ("bus.md", 1, "2024-03-01T06:00:00.000000Z"),
        ("../README.md", 0, "open 2024-03-01T06:00:00.000000Z 20.0 60.0 30.5"),
    ],
)
def test_each_python_client_prints_what_happens(
    page: str, number: int, words: str, tmp_path: Path
) -> None:
    code, out = snippets(page, "python")[number], tmp_path / "out"

    def has_printed() -> bool:
        _say(running)  # again and again: PUB sends only to whom it knows
        return words in out.read_text()

    with station() as running, _client(code, running, out):
        until(has_printed, deadline_s=60)
