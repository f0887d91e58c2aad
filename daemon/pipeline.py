"""One bounded step of work: records of one file → scores, events, one commit, messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import structlog

from acoio.errors import DataError, NotReadyError
from acoio.reader import Chunk, read_chunk
from acoio.record import Damage, Record
from daemon.advance import advanced, found
from daemon.arrivals import Seen, Task, progress_of
from daemon.evidence import with_evidence
from daemon.ledger import Ledger
from daemon.metrics import Metrics
from daemon.progress import FileProgress, Outgoing, Step
from daemon.recall import follows, records_before
from daemon.revise import in_order, number, revisions
from daemon.wire import Draft, event_draft
from detector.listen import Heard

RECORDS_A_STEP: Final = 256  # 44 s of sound: a tenth of a second of work


Finished = Literal["done", "set_aside"]
_LEVELS: Final = {"done": logging.INFO, "set_aside": logging.WARNING}
_WORDS: Final = {"done": "file done", "set_aside": "file set aside"}
_log = structlog.get_logger()


class Ear(Protocol):
    """What hears: `detector.listen.Listener`, as far as the pipeline uses it."""

    context_records: int

    @property
    def state(self) -> dict[str, Any]: ...
    def push(self, records: Sequence[Record], file: str) -> Heard: ...
    def recall(self, records: Sequence[Record], file: str) -> None: ...
    def flush(self) -> Heard: ...


@dataclass(frozen=True, slots=True)
class Feed:
    """Whose sound it is and who scores it."""

    drop: Path
    station: str
    model: str
    rate_hz: float = 24_000.0
    records_a_step: int = RECORDS_A_STEP


class Pipeline:
    """Does one task at a time, and commits it before it says anything.

    `listen` gives an ear that has an open event (`Listener.state`) in mind.  The
    ear is thrown away whenever the sound does not follow what it heard, and the
    next one hears again what came before: a restart is no special case.
    """

    def __init__(
        self,
        feed: Feed,
        listen: Callable[[Mapping[str, Any]], Ear],
        *,
        ledger: Ledger,
        metrics: Metrics,
        send: Callable[[Sequence[Outgoing]], None],
    ) -> None:
        self._feed = feed
        self._listen = listen
        self._ledger = ledger
        self._metrics = metrics
        self._send = send
        self._ear: Ear | None = None
        self.published = ledger.published

    def do(self, task: Task, order: Sequence[str]) -> bool:
        """Do one step of a task; say whether there may be more to do in this file.

        Raises
        ------
        NotReadyError
            If the file cannot be read, or the ledger not written, right now.
        """
        file = progress_of(task.seen, self._ledger.files)
        if task.do == "set_aside":
            self._set_aside(task.seen, file, task.reason)
            return False
        try:
            return self._read_on(task, file, order)
        except DataError as error:
            self._ear = None
            self._set_aside(task.seen, file, str(error))
            return False

    def announce(self, draft: Draft, *, model: str) -> None:
        """Say that another model scores from now on; what the one before left open, is closed."""
        ended = tuple(
            with_evidence({**event, "status": "closed"}) for event in self._ledger.open_events()
        )
        outgoing = self._numbered([*map(event_draft, ended), draft])
        self._commit(Step(self.published, events=ended, outgoing=outgoing, tracker={}, model=model))
        self._metrics.take_events(ended)

    def keep(self, step: Step, drafts: Sequence[Draft]) -> None:
        """Commit a step that is not of the sound with its messages, and send them."""
        self._commit(replace(step, published=self.published, outgoing=self._numbered(drafts)))

    def publish_again(self) -> None:
        """Send what was committed but not known to be sent."""
        while waiting := self._ledger.messages(self.published, RECORDS_A_STEP):
            self._say(waiting)

    def finish(self) -> None:
        """Close the open event for now: if its sound goes on at the next start, so does it."""
        if self._ear is None:
            return
        tracker = self._ear.state
        heard, self._ear = self._ear.flush(), None
        if events := revisions(heard.events, self._ledger.event):
            self._keep(Step(self.published, events=events, tracker=tracker), heard)

    def _read_on(self, task: Task, file: FileProgress, order: Sequence[str]) -> bool:
        with self._metrics.stage("read"):
            chunk = read_chunk(
                self._feed.drop / file.name,
                file.bytes_read,
                sample=file.samples_read,
                rate_hz=self._feed.rate_hz,
                limit=self._feed.records_a_step,
                final=task.do == "close",
            )
        if chunk.next_byte > file.bytes_read:
            self._hear(advanced(file, task.seen, chunk), chunk, file, order)
            return True
        if task.do == "close":
            self._close(task.seen, file, chunk.tail)
        return False

    def _hear(
        self, read: FileProgress, chunk: Chunk, before: FileProgress, order: Sequence[str]
    ) -> None:
        """Hear a chunk and commit what it gave; forget the ear if that fails."""
        self._metrics.damaged_bytes.inc(read.damaged_bytes - before.damaged_bytes)
        if not chunk.records:
            self._commit(Step(self.published, read))
            return
        try:
            with self._metrics.stage("score"):
                ear, ended = self._ear_at(before.name, order)
                heard = ear.push(chunk.records, read.name)
                heard = replace(heard, events=(*ended.events, *heard.events))
            self._keep_heard(read, ear, heard)
        except NotReadyError:
            self._ear = None
            raise
        self._metrics.take_records(len(chunk.records), rate_hz=self._feed.rate_hz)

    def _ear_at(self, name: str, order: Sequence[str]) -> tuple[Ear, Heard]:
        """Return an ear that has heard all before where a file was read to, and what ended."""
        heard = self._ledger.heard
        goes_on = follows(name, heard, order, self._ledger.files)
        if self._ear and goes_on:
            return self._ear, _NOTHING
        ear = self._ear or self._listen(self._ledger.tracker)
        ended = _NOTHING if goes_on else ear.flush()
        self._ear = ear = self._listen(ear.state)
        for earlier, records in records_before(
            self._feed.drop,
            name,
            count=ear.context_records,
            order=order,
            files=self._ledger.files,
            rate_hz=self._feed.rate_hz,
        ):
            ear.recall(records, earlier)
        return ear, ended

    def _keep_heard(self, read: FileProgress, ear: Ear, heard: Heard) -> None:
        scores = self._ledger.unscored(heard.scores, self._feed.model)
        events = revisions(heard.events, self._ledger.event)
        step = Step(self.published, read, scores, events, tracker=ear.state, heard=read.name)
        self._keep(step, heard)
        self._metrics.take_scores(step.scores)

    def _keep(self, step: Step, heard: Heard) -> None:
        """Give what was heard its numbers, commit it and send it."""
        drafts = in_order(step.events, heard.gaps)
        self._commit(replace(step, outgoing=self._numbered(drafts)))
        self._metrics.take_gaps(heard.gaps)
        self._metrics.take_events(step.events)

    def _close(self, seen: Seen, file: FileProgress, tail: Damage | None) -> None:
        reason, tail_bytes = file.reason, 0
        if tail:
            tail_bytes = tail.length_bytes
            self._metrics.damaged_bytes.inc(tail_bytes)
            reason = reason or f"byte {tail.byte}: {tail.reason}"
        self._finish_file(found(file, seen), "done", reason, tail_bytes)

    def _set_aside(self, seen: Seen, file: FileProgress, reason: str) -> None:
        self._finish_file(found(file, seen), "set_aside", reason, 0)

    def _finish_file(
        self, file: FileProgress, state: Finished, reason: str, tail_bytes: int
    ) -> None:
        finished = replace(file, state=state, reason=reason, tail_bytes=tail_bytes)
        self._commit(Step(self.published, finished))
        _log.log(_LEVELS[state], _WORDS[state], file=file.name, records=file.records, reason=reason)
        self._metrics.files.labels(state).inc()

    def _numbered(self, drafts: Sequence[Draft]) -> tuple[Outgoing, ...]:
        here = self._ledger
        return number(drafts, station=self._feed.station, epoch=here.epoch, after=here.sequence)

    def _commit(self, step: Step) -> None:
        with self._metrics.stage("commit"):
            self._ledger.commit(step, self._feed.model)
        self._say(step.outgoing)

    def _say(self, messages: Sequence[Outgoing]) -> None:
        self._send(messages)
        if messages:
            self.published = messages[-1].sequence
            self._metrics.sequence.set(self.published)


_NOTHING: Final = Heard((), (), ())
