"""The chore that tells how much sound waits: in the metrics, and in the log while it is much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import structlog

from acoio.sound import Gap
from daemon.drop.arrivals import Task
from daemon.drop.backlog import LONG_S, Backlog, Speed, bytes_a_second, waiting_bytes
from daemon.ledger.files import Files
from daemon.metrics import Metrics
from detector.values import gap_json, iso

_EVERY_S: Final = 1.0
_FIRST: Final = 10  # of what cannot be read
_SAY_EVERY_S: Final = 10.0
_PACE_S: Final = 900.0  # three files, so that one more or less is no great matter
_log = structlog.get_logger()


class CatchingUp:
    """Estimates by the sizes of files, the bytes that a second takes, and the speed so far.

    `drop_trouble` is why nobody knows what waits in the drop, or None, `unreadable` why each
    file or folder of it that may be a recording cannot be read; `is_archive` says
    that the sound is not expected to be that of now.  `show` gets how many seconds were
    heard, and how many it will be once all is that the last scan found.
    """

    def __init__(self, known: Files, metrics: Metrics, *, rate_hz: float) -> None:
        self.backlog = Backlog()
        self.drop_trouble: str | None = None
        self.unreadable: Mapping[str, str] = {}
        self.is_archive = False
        self.show: Callable[[float, float], None] | None = None
        self.speed, self._pace = Speed(), Speed(_PACE_S)
        self._went_on_at = datetime.now(UTC)
        self._known = known
        self._metrics = metrics
        self._rate_hz = rate_hz
        self._files = self._bytes = 0
        self._whole_s = 0.0
        self._a_second = bytes_a_second(0, 0, rate_hz)
        self._due_s = self._say_at_s = 0.0
        self._heard_s, self._heard_at = 0.0, ""

    def take(self, tasks: Sequence[Task]) -> None:
        """Learn what a scan found to do."""
        self._files = len(tasks)
        self._bytes = waiting_bytes(tasks, self._known)
        self._whole_s = self._metrics.heard_s + self._bytes / self._a_second

    def beat(self, *, went_on: bool) -> None:
        """Learn whether work went on just now, or there was honestly none to do."""
        if went_on:
            self._went_on_at = datetime.now(UTC)

    def do(self, now_s: float) -> None:
        """Tell what is due, at a time (monotonic, seconds)."""
        if now_s < self._due_s:
            return
        self._due_s = now_s + _EVERY_S
        self.speed.push(now_s, self._metrics.heard_s)
        self._pace.push(now_s, self._metrics.heard_s)
        if self._metrics.heard_s > self._heard_s:
            self._heard_s, self._heard_at = self._metrics.heard_s, iso(datetime.now(UTC))
        if self.show:
            self.show(self._metrics.heard_s, self._whole_s)
        seconds = self._bytes / self._a_second
        self.backlog = Backlog(self._files, seconds, self.speed.left_s(seconds))
        self._metrics.unreachable.set(self.drop_trouble is not None)
        self._metrics.unreadable.set(len(self.unreadable))
        self._metrics.backlog_seconds.set(seconds)
        self._metrics.backlog_left.set(self.backlog.left_s or 0.0)
        if now_s >= self._say_at_s:
            self._say_at_s = now_s + _SAY_EVERY_S
            self._measure()
            self._say()

    def finish(self, now_s: float) -> None:
        """Tell at the end of a run what is so, due or not."""
        self._due_s = now_s
        self.do(now_s)

    def as_json(self) -> dict[str, Any]:
        """Return what it tells: `heard_at` is when sound was heard last, by the clock.

        `pace` is the speed over a quarter of an hour, or None where it says nothing.
        """
        known = self._pace.is_whole and not self.is_archive
        return {
            "backlog": asdict(self.backlog),
            "times_real_time": self.speed.times_real_time,
            "pace": self._pace.times_real_time if known else None,
            "heard_at": self._heard_at or None,
            "went_on_at": iso(self._went_on_at),
            "unscored_s": self._metrics.unscored_s,
            "dead_channel": _as_json(self._metrics.dead),
            "clock_off": self._metrics.clock_off_ratio,
            "drop_trouble": self.drop_trouble,
            "unreadable": {
                "count": len(self.unreadable),
                "first": [
                    {"name": name, "reason": reason}
                    for name, reason in islice(self.unreadable.items(), _FIRST)
                ],
            },
        }

    def _measure(self) -> None:
        aside = sum(file.state == "set_aside" for file in self._known.unfinished)
        self._metrics.set_aside.set(aside)
        self._a_second = bytes_a_second(*self._known.read_of_late(), self._rate_hz)

    def _say(self) -> None:
        if self.backlog.seconds <= LONG_S:
            return
        _log.info(
            "catching up",
            files=self.backlog.files,
            sound_s=round(self.backlog.seconds),
            left_s=None if self.backlog.left_s is None else round(self.backlog.left_s),
            times_real_time=round(self.speed.times_real_time),
        )


def _as_json(dead: Gap | None) -> dict[str, Any] | None:
    return gap_json(dead) if dead else None
