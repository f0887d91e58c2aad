"""A file that was begun too often is read in a process beside: is it what ends the reader?"""

import sys
from pathlib import Path

import pytest

from acoio.errors import NotReadyError
from daemon.hearing import trial
from daemon.hearing.trial import Trial
from tests.daemon.sea import Sea

_BEGUN = "import os, sys, time; sys.stdin.read(); print(0, flush=True); "


@pytest.fixture
def recording(sea: Sea, tmp_path: Path) -> Path:
    name, data = next(sea.cut())
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def _trouble(path: Path, *, stopped: bool = False, silent_s: float = 60.0) -> tuple[str, list[int]]:
    places: list[int] = []
    tried = Trial(lambda: not stopped, places.append, silent_s=silent_s)
    return tried.trouble(path, 24_000.0), places


def test_a_good_file_is_read_to_its_end(recording: Path) -> None:
    trouble, places = _trouble(recording)
    assert trouble == ""
    assert max(places) == recording.stat().st_size


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("os.abort()", "ended with exit code -6"),
        ("print(100, flush=True); time.sleep(3600)", "got nowhere for 2 s"),
        ("raise MemoryError", "ended with exit code 1"),
    ],
)
def test_a_file_that_ends_or_hangs_it_is_in_trouble(
    recording: Path, monkeypatch: pytest.MonkeyPatch, then: str, reason: str
) -> None:
    monkeypatch.setattr(trial, "COMMAND", [sys.executable, "-c", _BEGUN + then])
    assert _trouble(recording, silent_s=2.0)[0] == f"reading it alone {reason}"


def test_what_ends_it_before_it_reads_is_not_the_file(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "COMMAND", [sys.executable, "-c", "raise MemoryError"])
    with pytest.raises(NotReadyError, match="did not start"):
        _trouble(recording)


def test_a_stop_does_not_wait_for_it(recording: Path) -> None:
    with pytest.raises(NotReadyError, match="left while waiting"):
        _trouble(recording, stopped=True)
