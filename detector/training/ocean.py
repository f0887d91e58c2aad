"""Windows of simulated ocean, hour by hour, on several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from acoio.clock import record_us
from acoio.simulate import DEMO_BEGIN, Ocean, OceanSettings, Truth
from acoio.sound import Sound
from acoio.writer import record_begins_us
from detector.config import FeatureSettings
from detector.features.windows import RollingFeatures
from detector.values import Window

TYPICAL: Final = OceanSettings(calls_per_hour=0.0, gear_per_hour=0.0, dc_steps_per_hour=0.0)
"""Sea, swell and ships: what an evening without visitors sounds like."""

VARIOUS: Final = OceanSettings(
    calls_per_hour=700.0, gear_per_hour=20.0, snr_db=(-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
)
"""The same with calls in half of all windows, so that a short training meets many."""

_RECORDS_AT_ONCE: Final = 256
_SHORTEST_HOURS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Stretch:
    """An hour or less of an ocean of its own."""

    seed: int
    hours: float
    ocean: OceanSettings
    features: FeatureSettings


def stretches(
    seed: int, hours: float, ocean: OceanSettings, features: FeatureSettings
) -> list[Stretch]:
    """Return stretches of at most an hour that make up `hours`, each with its own seed.

    A rest of under six minutes is left out: much of it would only fill the memory.
    """
    lengths = [1.0] * int(hours) + ([hours % 1] if hours % 1 >= _SHORTEST_HOURS else [])
    return [Stretch(1000 * seed + k, length, ocean, features) for k, length in enumerate(lengths)]


def windows_and_truth(stretch: Stretch) -> tuple[list[Window], tuple[Truth, ...]]:
    """Return the windows of a stretch in order, and what sounds in them."""
    ocean = Ocean(stretch.seed, DEMO_BEGIN, stretch.ocean)
    rolling = RollingFeatures(stretch.features)
    windows: list[Window] = []
    records = int(stretch.hours * 3600e6 / record_us(stretch.features.rate_hz))
    for first in range(0, records, _RECORDS_AT_ONCE):
        count = min(_RECORDS_AT_ONCE, records - first)
        marks_us = record_begins_us(DEMO_BEGIN, first, count)
        windows += rolling.push(
            Sound(ocean.piece(first, count), stretch.features.rate_hz, marks_us)
        )
    return windows, ocean.truth(3600 * stretch.hours)


@contextmanager
def simulator(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes for `windows_and_truth`; spawned, since torch does not survive a fork."""
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def simulate(
    pool: ProcessPoolExecutor, wanted: Sequence[Stretch]
) -> Iterator[tuple[list[Window], tuple[Truth, ...]]]:
    """Yield what each stretch gives, in order."""
    yield from pool.map(windows_and_truth, wanted)
