"""Noises of the gear itself: clicks, pops and bumps, as pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.random import Generator

from acoio.simulate.sounding import Maker, Waveform
from acoio.simulate.streams import RATE_HZ


def click(voice: Generator, shape: Generator) -> Waveform:
    """Return a click: a few milliseconds over a broad band."""
    decay_s = voice.uniform(0.001, 0.004)
    time_s = np.arange(round(5.0 * decay_s * RATE_HZ)) / RATE_HZ
    burst: Waveform = shape.standard_normal(len(time_s), dtype=np.float32)
    burst *= np.exp(-time_s / decay_s)
    return burst


def pop(voice: Generator, shape: Generator) -> Waveform:
    """Return a pop: a struck body that rings at 80 to 500 Hz for a tenth of a second."""
    decay_s = voice.uniform(0.02, 0.08)
    time_s = np.arange(round(5.0 * decay_s * RATE_HZ)) / RATE_HZ
    hz = voice.uniform(80.0, 500.0) * 2.0 ** shape.normal(0.0, 0.05)
    ring = np.sin(2 * np.pi * hz * time_s) * np.exp(-time_s / decay_s)
    return np.asarray(ring, np.float32)


def bump(voice: Generator, shape: Generator) -> Waveform:
    """Return a bump: one to four thumps of 15 to 60 Hz within two seconds."""
    time_s = np.arange(round(2.0 * RATE_HZ)) / RATE_HZ
    sound = np.zeros(len(time_s))
    for begin_s in np.sort(shape.uniform(0.0, 1.2, int(shape.integers(1, 5)))):
        late_s = np.maximum(time_s - begin_s, 0.0)
        thump = np.sin(2 * np.pi * voice.uniform(15.0, 60.0) * late_s)
        sound += shape.uniform(0.4, 1.0) * thump * np.exp(-late_s / 0.15)
    return np.asarray(sound[np.flatnonzero(sound)[0] :], np.float32)


GEAR: Final[Mapping[str, Maker]] = MappingProxyType(
    {"gear_click": click, "gear_pop": pop, "gear_bump": bump}
)
"""Every noise of the gear by its label."""
