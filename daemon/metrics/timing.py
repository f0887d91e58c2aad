"""What is told of time spent: in each stage, and from a record to its message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram

STAGES: Final = ("read", "score", "commit", "publish")
_SPENT_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class TimingMetrics:
    """Stages of the work; `busy_s` is all the time that was spent in them (s)."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.stages = Histogram(
            "kilokai_stage_seconds", "Time spent in each stage", ["stage"], buckets=_SPENT_S,
            registry=own,
        )  # fmt: skip
        self.record_to_message = Histogram(
            "kilokai_record_to_message_seconds",
            "From beginning to read records to having sent a message of what they gave",
            buckets=_SPENT_S,
            registry=own,
        )
        self.times_real_time = Gauge(
            "kilokai_times_real_time_ratio",
            "Sound heard per time spent, since the start",
            registry=own,
        )
        for stage in STAGES:
            self.stages.labels(stage)
        self.busy_s = 0.0
        self._step_at_s: float | None = None

    @contextmanager
    def step(self) -> Iterator[None]:
        """Follow one bounded step of work."""
        self._step_at_s = time.perf_counter()
        try:
            yield
        finally:
            self._step_at_s = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of the work."""
        begin_s = time.perf_counter()
        try:
            yield
        finally:
            spent_s = time.perf_counter() - begin_s
            self.busy_s += spent_s
            self.stages.labels(name).observe(spent_s)

    def take_sent(self, count: int) -> None:
        """Learn that messages were sent: those of a step are timed."""
        if self._step_at_s is not None:
            spent_s = time.perf_counter() - self._step_at_s
            for _ in range(count):
                self.record_to_message.observe(spent_s)
