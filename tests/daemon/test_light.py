"""A wrong argument is refused, and help is given, before what takes seconds is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_CODE = """
import sys
from daemon.cli import main
try:
    main()
except SystemExit as left:
    heavy = {"torch", "scipy.signal", "scipy.stats", "pyarrow"} & {*sys.modules}
    print(left.code, *sorted(heavy), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--help", 0),
        ("evaluate --help", 0),
        ("evaluate none", 78),
        ("evaluate ocean-v1 --recordings /none", 78),
        ("evaluate ocean-v1 --clips /none", 78),
        ("train {0} --archive /none", 78),
        ("train {0} --store /none", 78),
        ("train {0} --archive / --evening x", 78),
        ("train {0} --archive / --timezone x", 78),
        ("train {0} --archive / --months 13", 78),
        ("retrain --set drop.path=/none --set store.path={0}", 78),
        ("retrain --config /none", 78),
        ("score /none", 1),
        ("score / --set detector.model=none", 78),
    ],
)
def test_what_is_wrong_is_said_before_anything_heavy_is_imported(
    words: str, code: int, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _CODE, *words.format(tmp_path / "none").split()]
    done = subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stderr.splitlines()[-1] == str(code), done.stderr
