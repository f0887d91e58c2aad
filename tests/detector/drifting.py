"""Scores and levels that wander for an hour as a sea does, for the tests of drift."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from detector.values import Score

BEGIN = datetime(2024, 3, 1, 6, tzinfo=UTC)
BANDS = 12
WINDOWS = 3600  # an hour


def hour(
    seed: int, *, louder_db: float = 0.0, begin: datetime = BEGIN, bands: int = BANDS
) -> list[Score]:
    """Return an hour of windows that are alike for minutes, of a level of its own."""
    rng = np.random.default_rng([7, seed])
    slow = np.repeat(rng.normal(0, 0.7, 12), WINDOWS // 12) + rng.normal(0, 0.3)
    levels = 30 + slow[:, None] + rng.normal(0, 0.5, (WINDOWS, bands)) + louder_db
    values = rng.normal(0, 1, WINDOWS) + 0.3 * slow
    none = np.zeros(bands, np.float32)
    times = [begin + timedelta(seconds=k) for k in range(WINDOWS)]
    return [
        Score(at, at + timedelta(seconds=2), float(value), 4.0, none, none, level, "a", 0)
        for at, value, level in zip(times, values, levels.astype(np.float32), strict=True)
    ]
