"""One bounded step of work: records of one file → scores, events, one commit, messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from acoio.errors import DataError, NotReadyError
from acoio.reader import Chunk, fetch_chunk
from acoio.record import Damage
from daemon.advance import advanced, found
from daemon.alerts import alerted, summed_up, weighed
from daemon.arrivals import Task, progress_of
from daemon.drop import Drop
from daemon.evidence import with_evidence
from daemon.hearing import LANES, NOTHING, Hearing, Listen
from daemon.identity import HEAD_BYTES, Identity
from daemon.lanes import lane_of
from daemon.ledger import Ledger
from daemon.listing import Seen
from daemon.metrics import Metrics
from daemon.order import next_heard
from daemon.progress import FileProgress, Lane, LaneState, Outgoing, Step
from daemon.rehear import rehear
from daemon.revise import number, revisions
from daemon.wire import Draft, event_draft
from detector.listen import Heard
from detector.values import Score

RECORDS_A_STEP: Final = 256  # 44 s of sound: a tenth of a second of work
TRIES: Final = 5
"""How often reading a file may be begun without getting on: it may be what ends us each time."""

_LEVELS: Final = {"set_aside": logging.WARNING, "vanished": logging.WARNING}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Feed:
    """Whose sound it is, who scores it, and how many events an hour are sent one by one."""

    drop: Drop
    station: str
    model: str
    rate_hz: float = 24_000.0
    most_per_hour: int = 60


class Pipeline:
    """Does one task at a time, and commits it before it says anything."""

    def __init__(
        self,
        feed: Feed,
        listen: Listen,
        *,
        ledger: Ledger,
        metrics: Metrics,
        send: Callable[[Sequence[Outgoing]], None],
    ) -> None:
        self._feed = feed
        self._ledger = ledger
        self._metrics = metrics
        self._send = send
        self._hearing = Hearing(listen, feed.drop, ledger, rate_hz=feed.rate_hz)
        self._identity = Identity(feed.drop, ledger.files)
        self._begun: set[str] = set()
        self.published = ledger.published

    def do(self, task: Task, order: Sequence[str]) -> bool:
        """Do one step of a task; say whether there may be more to do in this file.

        Raises
        ------
        NotReadyError
            If the file cannot be read, or the ledger not written, right now.
        """
        file = progress_of(task.seen, self._ledger.files)
        try:
            match task.do:
                case "read":
                    return self._read_on(task.seen, file, order)
                case "close":
                    return self._close(task.seen, file, order)
                case "compare":
                    self._compare(task.seen, file)
                case "rehear":
                    self._rehear(file, order)
                case "vanish":
                    self._finish_file(replace(file, state="vanished"))
                case "set_aside":
                    self.set_aside(task, task.reason)
        except DataError as error:
            self._hearing.forget(self._lane(file.name))
            self.set_aside(task, str(error))
        return False

    def set_aside(self, task: Task, reason: str) -> None:
        """Leave a file be, until it changes or somebody asks for it.

        Raises
        ------
        NotReadyError
            If the ledger cannot be written right now.
        """
        file = found(progress_of(task.seen, self._ledger.files), task.seen)
        self._finish_file(replace(file, state="set_aside", reason=reason, tail_bytes=0))

    def announce(self, draft: Draft, *, model: str) -> None:
        """Say that another model scores from now on; what the one before left open, is closed."""
        ended = tuple(
            with_evidence({**event, "status": "closed"}) for event in self._ledger.open_events()
        )
        said = weighed(ended, self._ledger.alerts, most_per_hour=self._feed.most_per_hour).sent
        outgoing = self._numbered([*map(event_draft, said), draft])
        lanes = {lane: replace(self._ledger.lane(lane), tracker={}) for lane in LANES}
        self._commit(
            Step(self.published, events=ended, outgoing=outgoing, lanes=lanes, model=model)
        )
        self._metrics.take_events(ended)

    def keep(self, step: Step, drafts: Sequence[Draft]) -> None:
        """Commit a step that is not of the sound with its messages, and send them."""
        self._commit(replace(step, published=self.published, outgoing=self._numbered(drafts)))

    def publish_again(self) -> None:
        """Send what was committed but not known to be sent."""
        while waiting := self._ledger.messages(self.published, RECORDS_A_STEP):
            self._say(waiting)

    def fork(self, name: str) -> None:
        """Hear new sound by itself from a file on; all that is before it becomes the backlog."""
        lanes: dict[Lane, LaneState] = {
            "backlog": self._ledger.lane("live"),
            "live": LaneState({}, name),
        }
        self._commit(Step(self.published, lanes=lanes))
        self._hearing.fork()
        _log.info("much sound waits: what is new goes first", new_from=name)

    def join(self) -> None:
        """End the backlog's lane, as nothing is left of it."""
        heard = self._hearing.end("backlog")
        self._keep(heard, Step(self.published, lanes={"backlog": LaneState()}))

    def finish(self) -> None:
        """Close the open events for now: if their sound goes on at the next start, so do they."""
        for lane in LANES:
            heard = self._hearing.end(lane)
            if heard.events:
                self._keep(heard, Step(self.published))
        if untold := self._ledger.alerts.untold():
            outgoing = self._numbered(summed_up(untold, self._ledger.alerts))
            self._commit(Step(self.published, outgoing=outgoing, told=tuple(untold)))

    def _lane(self, name: str) -> Lane:
        return lane_of(name, self._ledger.lane("live"))

    def _read_on(self, seen: Seen, file: FileProgress, order: Sequence[str]) -> bool:
        unnamed = file.head_bytes < HEAD_BYTES <= seen.size
        if unnamed or file.name not in self._begun:
            file = self._begin(seen, file)
            if file.state != "pending" or file.twin:
                return False
        chunk = self._chunk(file)
        if chunk.next_byte == file.bytes_read:
            return False
        self._hear(seen, file, chunk, order)
        return True

    def _begin(self, seen: Seen, file: FileProgress) -> FileProgress:
        """Commit that reading a file is tried, before it is: it may be what ends us."""
        if file.attempts >= TRIES:
            reason = f"reading it was begun {file.attempts} times and never got on"
            file = replace(found(file, seen), state="set_aside", reason=reason)
            self._finish_file(file)
            return file
        file = replace(self._identity.begun(file, seen), attempts=file.attempts + 1)
        self._commit(Step(self.published, (file,)))
        self._begun.add(file.name)
        return file

    def _chunk(
        self, file: FileProgress, *, limit: int = RECORDS_A_STEP, final: bool = False
    ) -> Chunk:
        with self._metrics.stage("read"):
            return fetch_chunk(
                self._feed.drop.bytes_of(file.name),
                file.bytes_read,
                sample=file.samples_read,
                rate_hz=self._feed.rate_hz,
                limit=limit,
                final=final,
            )

    def _hear(self, seen: Seen, file: FileProgress, chunk: Chunk, order: Sequence[str]) -> None:
        """Hear a chunk and commit what it gave; forget the ear if that fails."""
        late = next_heard(file.name, order, self._ledger.files) is not None
        read = advanced(file, seen, chunk, late=late and bool(chunk.records))
        lane = self._lane(file.name)
        try:
            step, heard = Step(self.published, (read,)), NOTHING
            if chunk.records:
                with self._metrics.stage("score"):
                    heard, state = self._hearing.hear(lane, file, chunk.records, order)
                step = replace(step, lanes={lane: state})
            self._keep(heard, step)
        except NotReadyError:
            self._hearing.forget(lane)
            raise
        self._metrics.take_read(read, file, rate_hz=self._feed.rate_hz)

    def _rehear(self, file: FileProgress, order: Sequence[str]) -> None:
        """Score what a gap before this file left out, now that the sound before it is there."""
        begin = replace(file, bytes_read=0, samples_read=0)
        records = self._chunk(begin, limit=self._hearing.context_records).records
        with self._metrics.stage("score"):
            heard = rehear(self._hearing, file.name, records, order, is_new=self._is_new)
        lanes: dict[Lane, LaneState] = {"backlog": LaneState()}
        self._keep(heard, Step(self.published, (replace(file, rehear=False),), lanes=lanes))

    def _is_new(self, score: Score) -> bool:
        return bool(self._ledger.unscored([score], self._feed.model))

    def _keep(self, heard: Heard, step: Step) -> None:
        """Give what was heard its numbers, commit it and send it."""
        scores = self._ledger.unscored(heard.scores, self._feed.model)
        events = revisions(heard.events, self._ledger.event)
        step = replace(step, scores=scores, events=events)
        book, most = self._ledger.alerts, self._feed.most_per_hour
        step, drafts = alerted(step, heard, book, most_per_hour=most)
        self._commit(replace(step, outgoing=self._numbered(drafts)))
        self._metrics.take_scores(scores)
        self._metrics.take_gaps(heard.gaps)
        self._metrics.held_back.inc(len(step.held))
        self._metrics.take_events(step.events)

    def _close(self, seen: Seen, file: FileProgress, order: Sequence[str]) -> bool:
        closed = replace(found(file, seen), state="done")
        if seen.size < file.bytes_read:
            reason = f"cut short: found {seen.size} bytes, had read {file.bytes_read}"
            closed = replace(closed, reason=file.reason or reason)
        else:
            chunk = self._chunk(file, final=True)
            if chunk.next_byte > file.bytes_read:
                self._hear(seen, file, chunk, order)
                return True
            if chunk.tail:
                closed = _with_tail(closed, chunk.tail)
                self._metrics.damaged_bytes.inc(closed.tail_bytes)
        closed = replace(closed, sha256=self._feed.drop.digest(file.name, seen.size))
        after = next_heard(file.name, order, self._ledger.files) if file.late else None
        self._finish_file(closed, *([replace(after, rehear=True)] if after else []))
        return False

    def _compare(self, seen: Seen, file: FileProgress) -> None:
        """Find out by its bytes what became of a file that is not as it was left."""
        known, verdict = self._identity.compared(file, seen)
        self._metrics.compared.labels(verdict).inc()
        if verdict == "duplicate":
            self._finish_file(known)
            return
        if verdict in ("replaced", "cut"):
            _log.warning(f"file {verdict}", file=file.name, size=seen.size, read=file.bytes_read)
        self._begun.discard(file.name)
        self._commit(Step(self.published, (known,)))

    def _finish_file(self, file: FileProgress, *more: FileProgress) -> None:
        self._commit(Step(self.published, (file, *more)))
        self._begun.discard(file.name)
        level, words = _LEVELS.get(file.state, logging.INFO), file.state.replace("_", " ")
        _log.log(level, f"file {words}", file=file.name, records=file.records, reason=file.reason)
        self._metrics.files.labels(file.state).inc()

    def _numbered(self, drafts: Sequence[Draft]) -> tuple[Outgoing, ...]:
        here = self._ledger
        return number(drafts, station=self._feed.station, epoch=here.epoch, after=here.sequence)

    def _commit(self, step: Step) -> None:
        with self._metrics.stage("commit"):
            self._ledger.commit(step, self._feed.model)
        for file in step.files:
            self._identity.learn(file)
        self._say(step.outgoing)

    def _say(self, messages: Sequence[Outgoing]) -> None:
        self._send(messages)
        if messages:
            self.published = messages[-1].sequence
            self._metrics.sequence.set(self.published)


def _with_tail(file: FileProgress, tail: Damage) -> FileProgress:
    reason = file.reason or f"byte {tail.byte}: {tail.reason}"
    return replace(file, tail_bytes=tail.length_bytes, reason=reason)
