"""The loop: look, do one thing, answer, show a sign of life, again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from threading import Event
from typing import Final

import structlog

from acoio.errors import NotReadyError
from daemon.config import Config
from daemon.drop.arrivals import Plan, Task
from daemon.drop.lanes import MANY, fork_at, is_astray, joins, lane_of
from daemon.errors import EXIT_DONE, EXIT_FAILED, ClosedError, UnreadableError
from daemon.health.liveness import Liveness, got_on
from daemon.hearing.attempts import TRIES
from daemon.ledger.storage import BusyError, NoRoomError
from daemon.patience import Patience
from daemon.progress import LaneState
from daemon.service.parts import Parts

_SLICE_S: Final = 0.1  # how long a hint or a signal may go unnoticed
_TOLD: Final = 10  # names in a line of the log
_DROP: Final = ""  # no file's name

_log = structlog.get_logger()


class Loop:
    """Feeds what the world shows to what decides, and does what that says."""

    def __init__(self, config: Config, parts: Parts) -> None:
        self._parts = parts
        self._live: deque[Task] = deque()
        self._backlog: deque[Task] = deque()
        self._patience = Patience(config.drop.rescan_s)
        self._liveness = Liveness()
        self._ignored: set[str] = set()
        self._read_since = MANY  # files, since new sound last went back in time
        self._closed: dict[str, str] = {}
        self._awaited: tuple[str, ...] = ()
        self._room = parts.room
        self._stop = Event()
        parts.drop.meanwhile = self._wait_on
        parts.drop.came = self._came

    def look_every(self, rescan_s: float) -> None:
        """Let what failed wait so long at first, from now on."""
        self._patience.first_s = rescan_s

    def run(self, stop: Event, *, until_idle: bool) -> int:
        """Go on until `stop` is set, or until there is nothing left to do; return the exit code.

        With `until_idle` it is 1 if files of the drop were not read or are set aside.
        """
        self._stop = stop
        while not stop.is_set():
            self._look()
            if until_idle and self._is_idle():
                return self._finish()
            self._work()
            busy = self._due() and self._room.may_try(time.monotonic())
            self.attend(0.0 if busy else _SLICE_S, went_on=self._is_alive())
        return EXIT_DONE

    def _is_alive(self) -> bool:
        """Say whether work went on, or there was honestly none to do."""
        room, lookout, replay = self._room, self._parts.lookout, self._parts.replay
        return bool(self._liveness.is_alive() or room.full or lookout.missing or replay)

    def attend(self, wait_s: float, *, went_on: bool = True) -> None:
        """Answer what comes in within a wait, show a sign of life, and do what is due."""
        self._serve(wait_s=wait_s)
        self._beat(went_on=went_on)
        for chore in self._parts.chores:
            chore.do(time.monotonic())

    def _finish(self) -> int:
        try:
            self._parts.pipeline.finish()
        except NotReadyError as error:
            _log.error("open events not closed: the next start does it", reason=str(error))
            return EXIT_FAILED
        plan = self._parts.lookout.plan
        left = ["the drop"] if plan is None else [task.seen.name for task in plan.tasks]
        left += plan.closed if plan else ()
        files = self._parts.ledger.files
        if left:
            trouble = self._parts.catching_up.drop_trouble
            _log.error("given up: not all could be read", left=left[:_TOLD], reason=trouble)
        aside = sorted(f.name for f in files.unfinished if f.state == "set_aside")
        if aside:
            _log.error("files are set aside", files=len(aside), first=aside[:_TOLD])
        return EXIT_FAILED if left or aside else EXIT_DONE

    def _wait_on(self) -> bool:
        """Answer while a file of the drop keeps us waiting; say whether to wait on."""
        self._serve(wait_s=0.0)
        self._beat(went_on=False)
        return not self._stop.is_set()

    def _came(self, name: str, byte: int) -> None:
        """Show a sign of life as a file of the drop comes, however slowly."""
        self._beat(went_on=self._liveness.came(name, byte))

    def _beat(self, *, went_on: bool) -> None:
        self._parts.catching_up.beat(went_on=went_on)
        self._parts.heart.beat(went_on=went_on)

    def _serve(self, *, wait_s: float) -> None:
        bus = self._parts.bus
        self._parts.metrics.take_traffic(bus.serve(wait_s=wait_s))
        self._parts.metrics.take_bus(listening=bus.listening, subscribers=bus.subscribers)

    def _look(self) -> None:
        lookout = self._parts.lookout
        try:
            plan, glanced = lookout.look(), lookout.glance()
        except NotReadyError as error:
            self._complain(_DROP, error)
            self._parts.catching_up.drop_trouble = str(error)
            self._live.clear()
            self._backlog.clear()
            return
        try:
            if plan:
                self._has_drop()
                self._take(plan)
        except NotReadyError as error:
            self._not_written(error)
        self._parts.metrics.take_waiting(glanced, all_of_them=False)
        for task in glanced:
            if all(task.seen.name != other.seen.name for other in self._live):
                self._live.append(task)

    def _take(self, plan: Plan) -> None:
        now_s, ledger, pipeline = time.monotonic(), self._parts.ledger, self._parts.pipeline
        tasks = [task for task in plan.tasks if self._patience.is_due(task.seen.name, now_s)]
        if is_astray(ledger.lane("live"), tasks, plan.order):
            pipeline.begin_anew()
        live, backlog = ledger.lane("live"), ledger.lane("backlog")
        if backlog != LaneState() and joins(plan.tasks, plan.waiting, live):
            pipeline.join()
            self._has_room()
        elif (name := fork_at(tasks, live, ledger.files)) and self._may_move(name, live):
            pipeline.fork(name)
            self._has_room()
        self._live, self._backlog = deque(), deque()
        for task in tasks:
            self._lane(task).append(task)
        self._liveness.found(due=bool(tasks), waiting=bool(plan.tasks))
        new = [name for name in plan.ignored if name not in self._ignored]
        if new:
            _log.info(
                "files ignored: no recordings by their names", count=len(new), files=new[:_TOLD]
            )
        self._ignored = set(plan.ignored)
        self._parts.metrics.ignored.set(len(plan.ignored))
        self._parts.metrics.take_waiting(plan.tasks, all_of_them=True)
        self._parts.metrics.backlog.set(len(tasks))
        waiting = {task.seen.name for task in plan.tasks}
        closed = {name: why for name, why in self._closed.items() if name in waiting}
        self._take_closed({**plan.closed, **closed})
        self._parts.catching_up.take([t for t in plan.tasks if t.seen.name not in closed])

    def _take_closed(self, closed: Mapping[str, str]) -> None:
        """Log and publish what of the drop may be a recording and cannot be read."""
        catching_up = self._parts.catching_up
        if new := [name for name in closed if name not in catching_up.unreadable]:
            _log.warning(
                "cannot be read", count=len(closed), files=new[:_TOLD], reason=closed[new[0]]
            )
        catching_up.unreadable = closed

    def _may_move(self, name: str, live: LaneState) -> bool:
        """Return whether new sound may go on at a file; back in time only now and then.

        What comes late file by file is worked off in its order, not the last one first.
        """
        if lane_of(name, live) == "live":
            return True
        if self._read_since < MANY:
            return False
        self._read_since = 0
        return True

    def _lane(self, task: Task) -> deque[Task]:
        """Return where a task waits: what reads no new sound never keeps new sound waiting."""
        new = task.do == "read" and lane_of(task.seen.name, self._parts.ledger.lane("live"))
        return self._live if new == "live" else self._backlog

    def _is_idle(self) -> bool:
        """Say whether the last scan found nothing to do, or only what cannot be done."""
        plan = self._parts.lookout.plan
        if plan is None:
            return self._parts.lookout.missing and self._patience.tries(_DROP) >= TRIES
        if plan.waiting or plan.held or self._parts.lookout.hinted:
            self._say_waiting(plan)
            return False
        return all(self._patience.tries(task.seen.name) >= TRIES for task in plan.tasks)

    def _say_waiting(self, plan: Plan) -> None:
        """Log once which files an end waits for, since they may still grow."""
        if plan.waiting and not plan.tasks and plan.waiting != self._awaited:
            self._awaited = plan.waiting
            _log.info(
                "waiting until files have not grown for drop.settle_s",
                count=len(plan.waiting),
                files=plan.waiting[:_TOLD],
            )

    def _work(self) -> None:
        """Do one step of the oldest task that is due."""
        plan, tasks = self._parts.lookout.plan, self._due()
        if plan is None or not tasks or not self._room.may_try(time.monotonic()):
            return
        task, files = tasks[0], self._parts.ledger.files
        before = files.get(task.seen.name)
        try:
            more = self._parts.pipeline.do(task, plan.order)
            self._has_room()
        except NoRoomError as error:
            self._has_no_room(error)
            return
        except NotReadyError as error:
            tasks.popleft()
            self._put_off(task, error)
            return
        self._patience.worked(task.seen.name)
        self._closed.pop(task.seen.name, None)
        changed = got_on(before, files.get(task.seen.name))
        self._liveness.did(task.seen.name, task.seen.size, changed=changed)
        if not more:
            self._is_done(tasks)

    def _is_done(self, tasks: deque[Task]) -> None:
        """Take the oldest task off, and look again if that was the last one."""
        task = tasks.popleft()
        self._parts.metrics.backlog.set(len(self._live) + len(self._backlog))
        if task.do == "read":
            self._read_since += 1
            self._parts.lookout.exhausted(task)
        if not (self._live or self._backlog):
            self._parts.lookout.again()

    def _due(self) -> deque[Task]:
        """Return where the next task waits, or an empty queue: a replay's sound has its time."""
        replay, files, now_s = self._parts.replay, self._parts.ledger.files, time.monotonic()
        for tasks in (self._live, self._backlog):
            if tasks and (not replay or replay.allows(tasks[0], files, now_s)):
                return tasks
        return deque()

    def _put_off(self, task: Task, error: NotReadyError) -> None:
        (self._liveness.refused if isinstance(error, BusyError) else self._liveness.not_given)()
        tries = self._complain(task.seen.name, error)
        if isinstance(error, ClosedError):
            self._closed[task.seen.name] = str(error)
            self._take_closed({**self._parts.catching_up.unreadable, **self._closed})
        if isinstance(error, UnreadableError) and tries >= TRIES:
            try:
                self._parts.pipeline.set_aside(task, f"tried {tries} times: {error}")
            except NotReadyError as refused:
                self._not_written(refused)
                return
            self._patience.worked(task.seen.name)
            self._parts.lookout.again()

    def _complain(self, name: str, error: NotReadyError) -> int:
        tries = self._patience.failed(name, time.monotonic())
        if tries == 1:
            _log.warning("not ready, will try again", file=name or None, reason=str(error))
        return tries

    def _has_drop(self) -> None:
        if self._patience.tries(_DROP):
            _log.info("the drop can be listed again")
        self._patience.worked(_DROP)
        self._parts.catching_up.drop_trouble = None

    def _has_room(self) -> None:
        if self._room.full:
            _log.info("the store has room again: work goes on")
        self._room.took()
        self._parts.metrics.store_full.set(0)

    def _not_written(self, error: NotReadyError) -> None:
        """Learn that the ledger was not written: what was to be kept comes again with a scan."""
        if isinstance(error, NoRoomError):
            self._has_no_room(error)
        else:
            self._liveness.refused()
            _log.warning("ledger not written, will try again", reason=str(error))

    def _has_no_room(self, error: NoRoomError) -> None:
        """Keep the task: it is done once there is room, and until then nothing is lost."""
        if not self._room.full:
            _log.error("the store is full: no new work until there is room", reason=str(error))
        self._room.refused(time.monotonic())
        self._parts.metrics.store_full.set(1)
