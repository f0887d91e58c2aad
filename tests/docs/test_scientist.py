"""The worked example of docs/scientist.md, run as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.snippets import snippets

_ROOT = Path(__file__).parents[2]
_PORTS = {"BUS__PUBLISH": "tcp://127.0.0.1:0", "BUS__REPLAY": "tcp://127.0.0.1:0"}
_QUICK = {"METRICS__LISTEN": "127.0.0.1:0", "DROP__SETTLE_S": "0.1", "DROP__RESCAN_S": "0.1",
          "EVIDENCE__CLIPS": "false", "EVIDENCE__PICTURES": "false"}  # fmt: skip


def test_the_example_of_the_scientists_page_works(tmp_path: Path) -> None:
    (tmp_path / "kilokai").write_text(f'#!/bin/sh\nexec {sys.executable} -P -m daemon.cli "$@"\n')
    (tmp_path / "kilokai").chmod(0o755)
    environ = {**os.environ, "PYTHONPATH": str(_ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environ |= {f"KILOKAI_{key}": value for key, value in (_PORTS | _QUICK).items()}
    (shell,) = snippets("scientist.md", "sh", after="## An example")
    (python,) = snippets("scientist.md", "python", after="## An example")
    said = ""
    for command in (["sh", "-e", "-c", shell], [sys.executable, "-c", python]):
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        said += done.stdout
    assert "threshold 1.16 nats" in said
    assert said.count("almost: 2024-03-01T06:0") >= 1
    assert "promised: 1 an hour, 0.58 to 1.51" in said
    assert "an hour: this sea has calls in it" in said
    assert (tmp_path / "night.csv").read_text().count("\n") > 2
    assert len(list((tmp_path / "store" / "requests").iterdir())) == 1
