"""The whole of it, with the model that comes with the project."""

import subprocess
import sys
from pathlib import Path

from daemon.ledger.stored import stored_files, stored_scores

_ROOT = Path(__file__).parents[2]


def test_the_demonstration_runs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["demo", "--minutes", "10", "--seed", "1", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "daemon.cli", *words],
        cwd=_ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "times real time by the daemon's own work" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if str(out) not in line)
    assert {file["state"] for file in stored_files(out / "store")} == {"done"}
    assert len(stored_scores(out / "store")) > 500
    assert "kilokai_scored_seconds_total" in (out / "metrics.txt").read_text()
    assert len(list(out.glob("*.png"))) >= 1
    assert [path.name for path in out.glob(".*")] == [".kilokai-demo"]
