"""Known sounds for tests: tones, a swell, noise, on the true clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acoio.clock import record_us
from acoio.header import RECORD_SAMPLES
from acoio.sound import Gap, Sound

from .feeds import RATE_HZ, begins_us

SWELL = 60_000.0


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def sound(samples: NDArray[Any], rate_hz: float = RATE_HZ) -> Sound:
    """Return samples as a sound from BEGIN on, with marks at the true rate."""
    records = -(-len(samples) // RECORD_SAMPLES)
    us = np.rint(np.arange(records) * record_us(rate_hz)).astype(np.int64)
    return Sound(samples, rate_hz, begins_us(1)[0] + us, file="a")


def tone(hz: float, count: int, *, rate_hz: float = RATE_HZ, amplitude: float = 100) -> Any:
    """Return a sine, (count,) float64."""
    return amplitude * np.sin(2 * np.pi * hz * np.arange(count) / rate_hz + 0.3)


def hiss(count: int, *, seed: int = 0, deviation: float = 50.0) -> Any:
    """Return white noise, (count,) float64."""
    return np.random.default_rng(seed).normal(0, deviation, count)


def with_gap(whole: Sound, first: int, last: int) -> Sound:
    """Return a sound whose samples [first, last) were not recorded."""
    samples = whole.samples.copy()
    samples[first:last] = 0
    gap = Gap(whole.time_of(first), whole.time_of(last))
    return Sound(samples, whole.rate_hz, whole.marks_us, (gap,), whole.file, whole.sample)
