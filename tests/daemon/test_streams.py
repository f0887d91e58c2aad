"""Output that is full, closed, or read by nobody is said in a line at most."""

from __future__ import annotations

import subprocess
import sys

import pytest

COMMAND = f"exec {sys.executable} -P -m daemon.cli"


def _run(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.parametrize("words", ["--help", "--version", "events list --help"])
@pytest.mark.parametrize(
    ("where", "why"),
    [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")],
)
def test_a_full_or_closed_output_is_one_line_and_exit_1(words: str, where: str, why: str) -> None:
    done = _run(f"{COMMAND} {words} {where}")
    assert (done.returncode, done.stderr) == (1, f"kilokai: standard output: {why}\n")


def test_a_reader_that_went_is_no_fault_to_report() -> None:
    done = _run(f"set -o pipefail; (sleep 0.2; {COMMAND} --help) | true")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_errors_that_nobody_can_read_change_nothing(where: str) -> None:
    assert _run(f"{COMMAND} inspect /no/such/file {where}").returncode == 1
    assert _run(f"{COMMAND} --version {where}").stdout.startswith("kilokai ")


def test_no_file_that_is_opened_becomes_standard_output() -> None:
    code = "import sys; from daemon.cli.streams import standard_streams\n"
    code += "with standard_streams(): sys.exit(open('/dev/zero').fileno())"
    assert _run(f'exec {sys.executable} -c "{code}" <&- >&- 2>&-').returncode > 2
