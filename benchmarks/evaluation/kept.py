"""What is finished is kept, so that a run which was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.baselines.base import Floats


@dataclass(frozen=True)
class Part:
    """One contestant of a task with one choice of settings, at one seed."""

    task: str
    name: str
    settings: str  # JSON, sorted: what tells one choice from another
    seed: int

    def path(self, folder: Path) -> Path:
        """Return where it is kept, without a suffix."""
        told = hashlib.sha256(f"{self.name} {self.settings}".encode()).hexdigest()[:12]
        return folder / self.task / f"{told}-{self.seed}"


def told(settings: Mapping[str, Any]) -> str:
    """Return settings as text, the same for the same settings."""
    return json.dumps(dict(settings), sort_keys=True)


def read_scores(path: Path) -> tuple[Floats, float] | None:
    """Return scores (n,) and the seconds they took, or None where none are kept."""
    try:
        with np.load(path.with_suffix(".npz")) as kept:
            return kept["scores"], float(kept["seconds"])
    except FileNotFoundError:
        return None


def keep_scores(path: Path, scores: Floats, seconds: float) -> None:
    """Keep scores in one step: a file is whole or is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(new, scores=scores, seconds=seconds)
    new.replace(path.with_suffix(".npz"))


def read_measures(path: Path) -> dict[str, Any] | None:
    """Return what was measured of scores, or None where nothing is kept."""
    try:
        found: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    except FileNotFoundError:
        return None
    return found


def keep_measures(path: Path, measures: Mapping[str, Any]) -> None:
    """Keep what was measured, in one step."""
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps(dict(measures), indent=1))
    new.replace(path.with_suffix(".json"))
