"""The recordings beside the project, where there are any; tests that want them are skipped else."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"
ACO = DATA / "aco"

needs_recordings = [
    pytest.mark.shared,
    pytest.mark.skipif(not ACO.is_dir(), reason=f"no recordings in {ACO}"),
]


def real_files() -> list[Path]:
    """Return the real minutes of 2016-02-18, in order."""
    return sorted((ACO / "2016" / "02" / "18").glob("*.HYD24BBpk"))
