"""Commands that faults are injected with."""

from __future__ import annotations

import subprocess
from pathlib import Path


def sh(*command: str | Path, timeout_s: float = 60.0) -> str:
    """Run a command and return what it prints; raise if it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True, text=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def quietly(*command: str | Path) -> None:
    """Run a command whether or not it works."""
    subprocess.run(
        [str(word) for word in command],
        capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
