"""Ears for the lanes: each goes on where it was, or hears again what came before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from acoio.reader import Chunk
from acoio.record import Record
from daemon.drop.files import Drop
from daemon.drop.order import goes_on
from daemon.hearing.recall import records_before
from daemon.ledger.ledger import Ledger
from daemon.progress import FileProgress, Lane, LaneState
from detector.scoring.listen import NOTHING, Heard


class Ear(Protocol):
    """What hears: `detector.scoring.listen.Listener`, as far as it is used here."""

    context_records: int

    @property
    def state(self) -> dict[str, Any]: ...
    def push(self, records: Sequence[Record], file: str) -> Heard: ...
    def recall(self, records: Sequence[Record], file: str) -> None: ...
    def flush(self) -> Heard: ...
    def take_over(self, former: object) -> bool: ...


Listen = Callable[[Mapping[str, Any]], Ear]
"""Gives an ear that has an open event (`Ear.state`) in mind."""


class Hearing:
    """One ear for each lane.

    An ear is thrown away whenever the sound does not follow what it heard, and the
    next one hears again what came before: a restart is no special case.
    """

    def __init__(self, listen: Listen, drop: Drop, ledger: Ledger, *, rate_hz: float) -> None:
        self._listen = listen
        self._drop = drop
        self._ledger = ledger
        self._rate_hz = rate_hz
        self._ears: dict[Lane, Ear] = {}
        self.context_records = listen({}).context_records

    def hear(
        self, lane: Lane, file: FileProgress, chunk: Chunk, order: Sequence[str]
    ) -> tuple[Heard, LaneState]:
        """Return what a chunk gives, from where a file was read to, and where that leaves us."""
        ear, ended = self.ear_at(lane, file, order)
        heard = ear.push(chunk.records, file.name)
        state = LaneState(ear.state, file.name, file.records + len(chunk.records))
        events, gaps = (*ended.events, *heard.events), (*ended.gaps, *heard.gaps)
        return replace(heard, events=events, gaps=gaps), state

    def ear_at(self, lane: Lane, file: FileProgress, order: Sequence[str]) -> tuple[Ear, Heard]:
        """Return an ear that has heard all before where a file was read to, and what ended there.

        An ear goes on only from exactly the record where its lane stands: wherever else,
        another one hears again what comes before.
        """
        state = self._ledger.lane(lane)
        stands = goes_on(file, state, order, self._ledger.files)
        ear = self._ears.get(lane)
        if ear and stands:
            return ear, NOTHING
        ear = ear or self._listen(state.tracker)
        ended = NOTHING if stands else ear.flush()
        ear = self._ears[lane] = self._warmed_up(ear.state, file, order)
        return ear, ended

    def _warmed_up(
        self, tracker: Mapping[str, Any], file: FileProgress, order: Sequence[str]
    ) -> Ear:
        ear = self._listen(tracker)
        for earlier, records in records_before(
            self._drop,
            (file.name, file.bytes_read),
            count=ear.context_records,
            order=order,
            files=self._ledger.files,
            rate_hz=self._rate_hz,
        ):
            ear.recall(records, earlier)
        return ear

    def apart(self, file: FileProgress, order: Sequence[str]) -> Ear:
        """Return an ear of no lane that has heard all before where a file was read to."""
        return self._warmed_up({}, file, order)

    def end(self, lane: Lane) -> Heard:
        """Return the event that is open in a lane, closed; its ear is gone."""
        ended = self.ending(lane)
        self.forget(lane)
        return ended

    def ending(self, lane: Lane) -> Heard:
        """Return the event that is open in a lane, as it is if it ends here; its ear goes on."""
        ear = self._ears.get(lane)
        return self.closed(ear.state if ear else self._ledger.lane(lane).tracker)

    def closed(self, tracker: Mapping[str, Any]) -> Heard:
        """Return an open event (`Ear.state`) as it is if it ends here."""
        return self._listen(tracker).flush() if tracker else NOTHING

    def with_no_event(self, ear: Ear) -> Ear:
        """Return an ear that goes on where another is, with no event in mind."""
        if not ear.state:
            return ear
        other = self._listen({})
        other.take_over(ear)
        return other

    def forget(self, lane: Lane) -> None:
        """Hear anew at the next sound, as what was heard last could not be kept."""
        self._ears.pop(lane, None)

    def switch(self, listen: Listen) -> None:
        """Let other ears go on where these are, with no event in mind.

        They take over what these have heard; if they hear otherwise, they hear again
        what came before.
        """
        self._listen = listen
        self.context_records = listen({}).context_records
        for lane, former in tuple(self._ears.items()):
            ear = self._ears[lane] = listen({})
            if not ear.take_over(former):
                self.forget(lane)

    def fork(self) -> None:
        """Let the ear of new sound go on with the backlog."""
        if ear := self._ears.pop("live", None):
            self._ears["backlog"] = ear
