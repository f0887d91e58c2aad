"""Small sounds and settings for the detector's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from acoio.clock import record_us, to_us
from acoio.sound import Sound
from detector.config import FeatureSettings
from detector.values import Score, Window

BEGIN = datetime(2024, 3, 1, 6, 0, 0, 400_000, tzinfo=UTC)
RATE_HZ = 24_000.0
SMALL = FeatureSettings(bands=16, window_records=4, past_records=20)


def noise(records: int, *, seed: int = 0) -> NDArray[np.int32]:
    """Return white noise in counts on a slow swell ten times as strong."""
    k = np.arange(records * 4096)
    swell = 5000 * np.sin(2 * np.pi * 0.11 * k / RATE_HZ)
    hiss = np.random.default_rng(seed).normal(0, 500, len(k))
    return np.asarray(swell + hiss, np.int32)


def marks_us(records: int) -> NDArray[np.int64]:
    """Return record times at the true rate."""
    return np.asarray(to_us(BEGIN) + np.rint(np.arange(records) * record_us()), np.int64)


def sound(samples: NDArray[np.int32], file: str = "a") -> Sound:
    """Return samples as one sound of whole records."""
    return Sound(samples, RATE_HZ, marks_us(len(samples) // 4096), file=file)


def part(whole: Sound, first: int, last: int) -> Sound:
    """Return records first to last - 1 of a sound."""
    return Sound(
        whole.samples[first * 4096 : last * 4096],
        whole.rate_hz,
        whole.marks_us[first:last],
        file=whole.file,
        sample=whole.sample + first * 4096,
    )


def window(excess_db: NDArray[np.float32], second: float = 0.0) -> Window:
    """Return a window of these levels, (F, T)."""
    begin = BEGIN + timedelta(seconds=second)
    spread, level = np.ones(len(excess_db), np.float32), np.zeros(len(excess_db), np.float32)
    return Window(begin, begin + timedelta(seconds=2.048), excess_db, spread, level, "a", 0)


def score(second: float, value: float, *, bands: int = 4, threshold: float = 10.0) -> Score:
    """Return a score whose sum lies mostly in band 1."""
    begin = BEGIN + timedelta(seconds=second)
    share = np.full(bands, 0.05, np.float32)
    share[1] = 1 - 0.05 * (bands - 1)
    return Score(
        begin=begin,
        end=begin + timedelta(seconds=2.048),
        score=value,
        threshold=threshold,
        contribution=(value * share).astype(np.float32),
        level_db=np.arange(bands, dtype=np.float32) + np.float32(value),
        background_db=np.zeros(bands, np.float32),
        file="a",
        sample=round(second * RATE_HZ),
    )
