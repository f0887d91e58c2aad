"""Ears for the lanes: each goes on where it was, or hears again what came before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from acoio.reader import Chunk
from acoio.record import Record
from daemon.drop.files import Drop
from daemon.drop.order import follows
from daemon.hearing.recall import records_before
from daemon.ledger.ledger import Ledger
from daemon.progress import FileProgress, Lane, LaneState
from detector.listen import NOTHING, Heard


class Ear(Protocol):
    """What hears: `detector.listen.Listener`, as far as it is used here."""

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
        self._places: dict[Lane, tuple[str, int]] = {}
        self.context_records = listen({}).context_records

    def hear(
        self, lane: Lane, file: FileProgress, chunk: Chunk, order: Sequence[str]
    ) -> tuple[Heard, LaneState]:
        """Return what a chunk gives, from where a file was read to, and where that leaves us."""
        ear, ended = self.ear_at(lane, (file.name, file.bytes_read), order)
        heard = ear.push(chunk.records, file.name)
        self._places[lane] = file.name, chunk.next_byte
        state = LaneState(ear.state, file.name)
        return replace(heard, events=(*ended.events, *heard.events)), state

    def ear_at(self, lane: Lane, place: tuple[str, int], order: Sequence[str]) -> tuple[Ear, Heard]:
        """Return an ear that has heard all before a place (file, byte), and what ended there."""
        state = self._ledger.lane(lane)
        goes_on = self._stands(lane, place) and follows(
            place[0], state.heard, order, self._ledger.files
        )
        ear = self._ears.get(lane)
        if ear and goes_on:
            return ear, NOTHING
        ear = ear or self._listen(state.tracker)
        ended = NOTHING if goes_on else ear.flush()
        ear = self._ears[lane] = self._listen(ear.state)
        for earlier, records in records_before(
            self._drop.bytes_of,
            place,
            count=ear.context_records,
            order=order,
            files=self._ledger.files,
            rate_hz=self._rate_hz,
        ):
            ear.recall(records, earlier)
        return ear, ended

    def _stands(self, lane: Lane, place: tuple[str, int]) -> bool:
        """Say whether the ear of a lane is not elsewhere in the same file, which is another now."""
        name, byte = self._places.get(lane, place)
        return name != place[0] or byte == place[1]

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

    def forget(self, lane: Lane) -> None:
        """Hear anew at the next sound, as what was heard last could not be kept."""
        self._ears.pop(lane, None)
        self._places.pop(lane, None)

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
        if place := self._places.pop("live", None):
            self._places["backlog"] = place
