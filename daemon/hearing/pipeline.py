"""One bounded step of work: records of one file → scores, events, one commit, messages."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from acoio.errors import DataError, NotReadyError
from acoio.reader import Age, Chunk, fetch_chunk
from daemon.bus.wire import Draft
from daemon.drop.advance import advanced, found, with_sound, with_tail
from daemon.drop.arrivals import Task, progress_of
from daemon.drop.files import Drop, Kept
from daemon.drop.identity import Identity
from daemon.drop.lanes import lane_of
from daemon.drop.listing import Seen
from daemon.drop.order import next_heard, stands_in
from daemon.hearing.attempts import TRIES, Attempts
from daemon.hearing.ears import Hearing, Listen
from daemon.hearing.keeping import Keeper
from daemon.hearing.rehear import rehear
from daemon.ledger.ledger import Ledger
from daemon.metrics import Metrics
from daemon.progress import LANES, FileProgress, Lane, LaneState, Step
from detector.scoring.listen import NOTHING

RECORDS_A_STEP: Final = 256  # 44 s of sound: a tenth of a second of work
_LEVELS: Final = {"set_aside": logging.WARNING, "vanished": logging.WARNING}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Feed:
    """Where the sound comes from, at which rate, and how much of it is heard in a step."""

    drop: Drop
    rate_hz: float = 24_000.0
    records_a_step: int = RECORDS_A_STEP


class Pipeline:
    """Does one task at a time; what it gave is committed before anything else is done."""

    def __init__(
        self, feed: Feed, listen: Listen, *, ledger: Ledger, metrics: Metrics, keeper: Keeper
    ) -> None:
        self._feed = feed
        self._ledger = ledger
        self._metrics = metrics
        self._keeper = keeper
        self._hearing = Hearing(listen, feed.drop, ledger, rate_hz=feed.rate_hz)
        self._identity = Identity(feed.drop, ledger.files)
        self._attempts = Attempts(self._identity, keeper, ledger)

    def do(self, task: Task, order: Sequence[str]) -> bool:
        """Do one step of a task; say whether there may be more to do in this file.

        Raises
        ------
        NotReadyError
            If the file cannot be read, or the ledger not written, right now.
        """
        file = progress_of(task.seen, self._ledger.files)
        try:
            with self._metrics.step():
                return self._act(task, file, order)
        except NotReadyError:
            self._attempts.take_back(file.name)
            raise
        except DataError as error:
            self._hearing.forget(self._lane(file.name))
            self.set_aside(task, str(error))
            return False

    def _act(self, task: Task, file: FileProgress, order: Sequence[str]) -> bool:
        match task.do:
            case "read":
                return self._read_on(task, file, order)
            case "close":
                return self._close(task, file, order)
            case "compare":
                self._compare(task.seen, file, order)
            case "rehear":
                self._rehear(file, order)
            case "vanish":
                self._finish_file(replace(file, state="vanished"), *self._identity.left(file))
            case "set_aside":
                self.set_aside(task, task.reason)
        return False

    def set_aside(self, task: Task, reason: str) -> None:
        """Leave a file be, until it changes or somebody asks for it.

        Raises
        ------
        NotReadyError
            If the ledger cannot be written right now.
        """
        file = found(progress_of(task.seen, self._ledger.files), task.seen)
        aside = replace(file, state="set_aside", reason=reason, tail_bytes=0)
        self._finish_file(aside, *self._identity.left(file))

    def fork(self, name: str) -> None:
        """Hear new sound by itself from a file on; all that is before it becomes the backlog.

        The ear of new sound goes on there, unless one is at work there already, or the file
        is before what was heard last: then what it heard ends.
        """
        before, new = self._ledger.lane("live"), LaneState({}, name)
        if self._lane(name) == "live" and self._ledger.lane("backlog") == LaneState():
            self._keeper.keep(Step(lanes={"backlog": before, "live": new}))
            self._hearing.fork()
        else:
            self._keeper.keep_heard(self._hearing.end("live"), Step(lanes={"live": new}))
        _log.info("much sound waits: what is new goes first", new_from=name)

    def begin_anew(self) -> None:
        """Let new sound be what comes next: what was heard last lies in a time of its own."""
        heard = self._hearing.end("live")
        self._keeper.keep_heard(heard, Step(lanes={"live": LaneState()}))

    def join(self) -> None:
        """End the backlog's lane, as nothing is left of it."""
        heard = self._hearing.end("backlog")
        self._keeper.keep_heard(heard, Step(lanes={"backlog": LaneState()}))

    def switch(self, listen: Listen, draft: Draft, *, model: str) -> None:
        """Let another model score from the next window on; what is open ends with this one.

        Raises
        ------
        NotReadyError
            If the ledger cannot be written right now: this one goes on.
        """
        ended = [event for lane in LANES for event in self._hearing.ending(lane).events]
        self._keeper.announce(draft, model=model, ended=ended)
        self._hearing.switch(listen)

    def finish(self) -> None:
        """Close the open events for now: if their sound goes on at the next start, so do they."""
        for lane in LANES:
            heard = self._hearing.end(lane)
            if heard.events:
                self._keeper.keep_heard(heard, Step())
        self._keeper.sum_up()

    def _lane(self, name: str) -> Lane:
        return lane_of(name, self._ledger.lane("live"))

    def _read_on(self, task: Task, file: FileProgress, order: Sequence[str]) -> bool:
        seen = task.seen
        if self._attempts.wants(seen, file):
            if task.young and not file.bytes_read and self._identity.is_blank(file):
                return False
            if file.attempts >= TRIES:
                if reason := self._attempts.trouble(self._feed.drop, file, self._feed.rate_hz):
                    self._finish_file(replace(found(file, seen), state="set_aside", reason=reason))
                    return False
                file = replace(file, attempts=0)
            file = self._attempts.begin(seen, file)
            if file.twin:
                return False
        chunk, checksum = self._chunk(file, age="young" if task.young else "growing")
        if chunk.next_byte == file.bytes_read:
            return False
        self._hear(seen, replace(file, checksum=checksum), chunk, order)
        return True

    def _chunk(
        self,
        file: FileProgress,
        *,
        limit: int | None = None,
        age: Age = "growing",
    ) -> tuple[Chunk, int]:
        """Return the next chunk, and the CRC-32 of the file up to its end, as it was read."""
        fetch = Kept(self._feed.drop.bytes_of(file.name))
        with self._metrics.stage("read"):
            chunk = fetch_chunk(
                fetch,
                file.bytes_read,
                sample=file.samples_read,
                rate_hz=self._feed.rate_hz,
                limit=limit or self._feed.records_a_step,
                age=age,
            )
        read = fetch.between(file.bytes_read, chunk.next_byte)
        return chunk, zlib.crc32(read, file.checksum)

    def _hear(self, seen: Seen, file: FileProgress, chunk: Chunk, order: Sequence[str]) -> None:
        """Hear a chunk and commit what it gave; forget the ear if that fails."""
        late = next_heard(file.name, order, self._ledger.files) is not None
        read = advanced(file, seen, chunk, late=late and bool(chunk.records))
        lane = self._lane(file.name)
        try:
            step, heard = Step(files=(read,)), NOTHING
            if chunk.records:
                with self._metrics.stage("score"):
                    heard, state = self._hearing.hear(lane, file, chunk, order)
                read = with_sound(read, heard.runs, self._feed.rate_hz)
                step = replace(step, files=(read,), lanes={lane: state})
            self._keeper.keep_heard(heard, step)
        except NotReadyError:
            self._hearing.forget(lane)
            raise
        damaged = len(chunk.damages)
        self._metrics.take_read(read, file, rate_hz=self._feed.rate_hz, damaged=damaged)
        if heard.fault:
            raise DataError(heard.fault)

    def _rehear(self, file: FileProgress, order: Sequence[str]) -> None:
        """Score what a gap before this file left out, now that the sound before it is there."""
        begin = replace(file, bytes_read=0, samples_read=0)
        records = self._chunk(begin, limit=self._hearing.context_records)[0].records
        with self._metrics.stage("score"):
            heard, met = rehear(self._hearing, file, records, order, is_new=self._keeper.is_new)
        after = None if met else next_heard(file.name, order, self._ledger.files)
        files = (replace(file, rehear=False), *([replace(after, rehear=True)] if after else []))
        self._keeper.keep_heard(heard, Step(files=files))
        for lane in LANES:  # either may have heard this file without what came before
            self._hearing.forget(lane)

    def _close(self, task: Task, file: FileProgress, order: Sequence[str]) -> bool:
        seen = task.seen
        if not self._is_still(seen):
            return False
        chunk, checksum = self._chunk(file, age="whole")
        if chunk.next_byte > file.bytes_read:
            self._hear(seen, replace(file, checksum=checksum), chunk, order)
            return True
        closed = self._identity.closed(file, seen)
        if not self._is_still(seen):
            return False
        if closed is None:
            self._read_anew(seen, file)
            return False
        if not file.records:
            self.set_aside(task, task.reason)
            return False
        if seen.size < file.bytes_read:
            reason = f"cut short: found {seen.size} bytes, had read {file.bytes_read}"
            closed = replace(closed, reason=file.reason or reason)
        if chunk.tail:
            closed = with_tail(closed, chunk.tail)
            self._metrics.take_damage(closed, closed.tail_bytes, rate_hz=self._feed.rate_hz)
        after = next_heard(file.name, order, self._ledger.files) if file.late else None
        self._finish_file(closed, *([replace(after, rehear=True)] if after else []))
        return False

    def _read_anew(self, seen: Seen, file: FileProgress) -> None:
        """Begin a file again that holds other bytes than were read: it changed meanwhile."""
        self._metrics.compared.labels("changed").inc()
        _log.warning("file changed while it was read", file=file.name, rereads=file.rereads)
        if file.rereads >= TRIES:
            reason = f"it held other bytes at its end than were read, {file.rereads + 1} times"
            self._finish_file(replace(found(file, seen), state="set_aside", reason=reason))
            return
        self._attempts.forget(file.name)
        others = self._identity.left(replace(file, bytes_read=0))
        self._keeper.keep(Step(files=(FileProgress(file.name, rereads=file.rereads + 1), *others)))

    def _compare(self, seen: Seen, file: FileProgress, order: Sequence[str]) -> None:
        """Find out by its bytes what became of a file that is not as it was left."""
        if not self._is_still(seen):
            return
        (known, *others), verdict = self._identity.compared(file, seen)
        if not self._is_still(seen):
            return
        self._metrics.compared.labels(verdict).inc()
        if verdict == "duplicate":
            self._finish_file(replace(known, rehear=stands_in(known, order)))
            return
        if verdict == "replaced":
            others += self._identity.left(file)
        if verdict in ("replaced", "cut"):
            _log.warning(f"file {verdict}", file=file.name, size=seen.size, read=file.bytes_read)
        self._attempts.forget(file.name)
        self._keeper.keep(Step(files=(known, *others)))

    def _is_still(self, seen: Seen) -> bool:
        """Say whether a file is as the listing told: it may be older than what was read since."""
        return self._feed.drop.glance([seen.name]) == [seen]

    def _finish_file(self, file: FileProgress, *more: FileProgress) -> None:
        self._keeper.keep(Step(files=(file, *more)))
        self._attempts.forget(file.name)
        level, words = _LEVELS.get(file.state, logging.INFO), file.state.replace("_", " ")
        _log.log(level, f"file {words}", file=file.name, records=file.records, reason=file.reason)
        self._metrics.files.labels(file.state).inc()
