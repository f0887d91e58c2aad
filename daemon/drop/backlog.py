"""How much sound waits, and how long it will take (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from acoio.clock import true_rate_hz
from daemon.drop.arrivals import Task
from daemon.progress import FileProgress

LONG_S: Final = 600.0  # so much sound waiting is told of
_USUAL_BYTES_A_SECOND: Final = 11e6 / 300  # a five-minute file has 11 MB
_MEMORY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """Files with work left, their sound by their sizes, and how long that will take."""

    files: int = 0
    seconds: float = 0.0
    left_s: float | None = None


def waiting_bytes(tasks: Iterable[Task], known: Mapping[str, FileProgress]) -> int:
    """Return how many bytes of files were not read yet."""
    waiting = 0
    for task in tasks:
        file = known.get(task.seen.name)
        if task.do == "read":
            waiting += max(task.seen.size - (file.bytes_read if file else 0), 0)
    return waiting


def bytes_a_second(bytes_read: float, samples: float, rate_hz: float) -> float:
    """Return how many bytes a second of sound takes, by those heard so far."""
    seconds = samples / true_rate_hz(rate_hz)
    return bytes_read / seconds if seconds and bytes_read else _USUAL_BYTES_A_SECOND


class Speed:
    """Seconds of sound heard per second, over the last minute or so many seconds."""

    def __init__(self, memory_s: float = _MEMORY_S) -> None:
        self._memory_s = memory_s
        self._heard: deque[tuple[float, float]] = deque()
        self.is_whole = False  # not before it looks back that far

    def push(self, now_s: float, heard_s: float) -> None:
        """Learn how much was heard until now, both in seconds that only ever rise."""
        self._heard.append((now_s, heard_s))
        while now_s - self._heard[0][0] > self._memory_s:
            self._heard.popleft()
            self.is_whole = True

    @property
    def times_real_time(self) -> float:
        """The speed, 0 if nothing was heard."""
        if not self._heard:
            return 0.0
        (begin_s, before_s), (end_s, after_s) = self._heard[0], self._heard[-1]
        return (after_s - before_s) / (end_s - begin_s) if end_s > begin_s else 0.0

    def left_s(self, seconds: float) -> float | None:
        """Return how long so much sound will take, None if nothing goes on."""
        if not seconds:
            return 0.0
        speed = self.times_real_time
        return seconds / speed if speed else None
