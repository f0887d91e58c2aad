"""The loop: look, do one thing, answer, show a sign of life, again."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final, Protocol

import structlog

from acoio.errors import NotReadyError
from daemon.arrivals import Arrivals, Plan, Task
from daemon.catching_up import CatchingUp
from daemon.config import Config
from daemon.errors import EXIT_DONE, EXIT_FAILED
from daemon.heart import Heart
from daemon.ledger import Ledger
from daemon.metrics import Metrics
from daemon.pace import Replay
from daemon.pipeline import Pipeline
from daemon.publish import Publisher
from daemon.room import Room
from daemon.storage import NoRoomError
from daemon.watch import Watch, scan

_SLICE_S: Final = 0.05  # how long a hint or a signal may go unnoticed
_SOONEST_S: Final = 0.1  # between two scans
_SCANNING_SHARE: Final = 0.1  # of the time at most, however large the drop
_LOOKS_A_SETTLING: Final = 10
_TRIES: Final = 5

_log = structlog.get_logger()


class Chore(Protocol):
    """Something beside the sound that is due now and then, a bounded piece at a time."""

    def do(self, now_s: float) -> None:
        """Do what is due at a time (monotonic, seconds), in some tens of milliseconds."""


@dataclass(frozen=True)
class Parts:
    """What the loop drives."""

    arrivals: Arrivals
    ledger: Ledger
    pipeline: Pipeline
    publisher: Publisher
    heart: Heart
    watch: Watch
    metrics: Metrics
    catching_up: CatchingUp
    room: Room
    chores: Sequence[Chore] = ()
    replay: Replay | None = None


class Loop:
    """Feeds what the world shows to what decides, and does what that says."""

    def __init__(self, config: Config, parts: Parts) -> None:
        self._drop: Path = config.drop.path
        self._rescan_s = config.drop.rescan_s
        self._waiting_s = min(self._rescan_s, config.drop.settle_s / _LOOKS_A_SETTLING)
        self._parts = parts
        self._plan: Plan | None = None
        self._tasks: deque[Task] = deque()
        self._unready: Counter[str] = Counter()
        self._ignored: set[str] = set()
        self._room = parts.room
        self._scanned_s = self._due_s = self._soonest_s = time.monotonic()

    def run(self, stop: Event, *, until_idle: bool) -> int:
        """Go on until `stop` is set, or until there is nothing left to do; return the exit code."""
        while not stop.is_set():
            if self._scan_is_due():
                self._scan()
            if until_idle and self._is_idle():
                self._parts.pipeline.finish()
                return EXIT_FAILED if self._plan is None or self._plan.tasks else EXIT_DONE
            went_on = self._work()
            wait_s = 0.0 if self._tasks and self._may_go_on() else _SLICE_S
            self._parts.metrics.replays.inc(
                self._parts.publisher.serve(self._parts.ledger, wait_s=wait_s)
            )
            self._parts.heart.beat(went_on=went_on)
            for chore in self._parts.chores:
                chore.do(time.monotonic())
        return EXIT_DONE

    def _scan_is_due(self) -> bool:
        now_s = time.monotonic()
        return now_s >= self._due_s or (
            self._parts.watch.hint.is_set() and now_s >= self._soonest_s
        )

    def _scan(self) -> None:
        watch, begin_s = self._parts.watch, time.monotonic()
        watch.hint.clear()
        watch.arm()
        try:
            listing = scan(self._drop)
        except NotReadyError as error:
            self._complain("drop", error)
            self._plan = None
            self._tasks.clear()
            self._due_s = self._soonest_s = begin_s + self._rescan_s
            return
        self._unready.pop("drop", None)
        if self._parts.replay:
            listing = self._parts.replay.shown(listing, self._parts.ledger.files)
        self._take(self._parts.arrivals.look(listing, self._parts.ledger.files, begin_s))
        spent_s = time.monotonic() - begin_s
        self._soonest_s = begin_s + max(_SOONEST_S, spent_s / _SCANNING_SHARE)
        self._due_s = max(begin_s + self._pause_s(), self._soonest_s)

    def _take(self, plan: Plan) -> None:
        self._plan = plan
        self._tasks = deque(plan.tasks)
        for name in plan.ignored:
            if name not in self._ignored:
                _log.info("file ignored: no recording by its name", file=name)
        self._ignored = set(plan.ignored)
        self._parts.metrics.ignored.set(len(plan.ignored))
        self._parts.metrics.backlog.set(len(plan.tasks))
        self._parts.catching_up.take(plan.tasks)

    def _pause_s(self) -> float:
        """Return how long the next scan may wait if nothing hints at it."""
        plan = self._plan
        if plan is None or any(task.seen.name in self._unready for task in plan.tasks):
            return self._rescan_s
        if plan.tasks:
            return _SOONEST_S
        return self._waiting_s if plan.waiting else self._rescan_s

    def _is_idle(self) -> bool:
        """Say whether the last scan found nothing to do, or only what cannot be done."""
        if self._plan is None:
            return True
        if self._plan.waiting or self._parts.watch.hint.is_set():
            return False
        return all(self._unready[task.seen.name] >= _TRIES for task in self._plan.tasks)

    def _work(self) -> bool:
        """Do one step of the oldest task; say whether work went on, or there was none."""
        if not self._tasks or self._plan is None or not self._may_go_on():
            return True
        task = self._tasks[0]
        try:
            more = self._parts.pipeline.do(task, self._plan.order)
            self._has_room()
        except NoRoomError as error:
            self._has_no_room(error)
            return True
        except NotReadyError as error:
            self._complain(task.seen.name, error)
            self._tasks.popleft()
            return False
        self._unready.pop(task.seen.name, None)
        if not more:
            self._tasks.popleft()
            self._parts.metrics.backlog.set(len(self._tasks))
            if task.do == "read":
                self._parts.arrivals.exhausted(task.seen)
        return True

    def _may_go_on(self) -> bool:
        now_s, replay = time.monotonic(), self._parts.replay
        if replay and self._tasks:
            file = self._parts.ledger.files.get(self._tasks[0].seen.name)
            if not replay.allows(self._tasks[0], file, now_s):
                return False
        return self._room.may_try(now_s)

    def _has_room(self) -> None:
        if self._room.full:
            _log.info("the store has room again: work goes on")
        self._room.took()
        self._parts.metrics.store_full.set(0)

    def _has_no_room(self, error: NoRoomError) -> None:
        """Keep the task: it is done once there is room, and until then nothing is lost."""
        if not self._room.full:
            _log.error("the store is full: no new work until there is room", reason=str(error))
        self._room.refused(time.monotonic())
        self._parts.metrics.store_full.set(1)

    def _complain(self, name: str, error: NotReadyError) -> None:
        self._unready[name] += 1
        if self._unready[name] == 1:
            _log.warning("not ready, will try again", file=name, reason=str(error))
