"""The chain in this process: times real time, and milliseconds for each stage."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from acoio.clock import ClockRepair
from acoio.header import RECORD_SAMPLES
from acoio.join import Joiner
from acoio.reader import read_chunks
from acoio.sound import Sound
from detector import PRETRAINED, Listener, Scorer, load_model
from detector.events import EventTracker
from detector.features.windows import RollingFeatures

RATE_HZ = 24_000.0
RECORDS_AT_ONCE = 256
REPEATS = 5


def times_real_time(files: list[Path], cores: int) -> tuple[float, float, float]:
    """Return the least, the median and the most times real time of a five-minute file.

    The first file fills the memory of the chain and is not counted.
    """
    with confined(cores):
        scorer = load_model(PRETRAINED)
        ratios = []
        for _ in range(REPEATS):
            listener = Listener(scorer, station="bench")
            hear(listener, files[0])
            begin_s = time.perf_counter()
            seconds = hear(listener, files[1])
            ratios.append(seconds / (time.perf_counter() - begin_s))
    return min(ratios), statistics.median(ratios), max(ratios)


@contextmanager
def confined(cores: int) -> Iterator[None]:
    """Let this process have so many cores and no more."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    torch.set_num_threads(cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def hear(listener: Listener, path: Path) -> float:
    """Let a listener hear a file as the daemon does; return the seconds of its sound."""
    seconds = 0.0
    for chunk in read_chunks(path, rate_hz=RATE_HZ, limit=RECORDS_AT_ONCE):
        listener.push(chunk.records, path.name)
        seconds += len(chunk.records) * RECORD_SAMPLES / RATE_HZ
    return seconds


class Stages:
    """The stages of a `Listener`, one by one, with their milliseconds."""

    def __init__(self, scorer: Scorer) -> None:
        self.spent_ms: dict[str, float] = {}
        self._scorer = scorer
        self._clock, self._joiner = ClockRepair(), Joiner(RATE_HZ)
        self._features = RollingFeatures(scorer.features)
        self._tracker = EventTracker(scorer.event_settings("bench"))

    def hear(self, path: Path) -> None:
        """Hear a whole file."""
        chunks = read_chunks(path, rate_hz=RATE_HZ, limit=RECORDS_AT_ONCE)
        while True:
            with self._stage("read and decode"):
                chunk = next(chunks, None)
            if chunk is None:
                return
            with self._stage("clock and joining"):
                pieces = list(self._joiner.push(self._clock.push(chunk.records), path.name))
            for piece in pieces:
                if isinstance(piece, Sound):
                    self._score(piece)

    def _score(self, sound: Sound) -> None:
        with self._stage("STFT, bands, levels, windows"):
            windows = self._features.push(sound)
        with self._stage("network and score"):
            scores = self._scorer.score(windows)
        with self._stage("events"):
            list(self._tracker.push(scores))

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        begin_s = time.perf_counter()
        yield
        spent_ms = 1e3 * (time.perf_counter() - begin_s)
        self.spent_ms[name] = self.spent_ms.get(name, 0.0) + spent_ms


def stage_ms(files: list[Path]) -> dict[str, float]:
    """Return the median milliseconds of each stage for a five-minute file, on one core."""
    runs: list[dict[str, float]] = []
    with confined(1):
        for _ in range(REPEATS):
            stages = Stages(load_model(PRETRAINED))
            stages.hear(files[0])
            stages.spent_ms.clear()
            stages.hear(files[1])
            runs.append(dict(stages.spent_ms))
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}
