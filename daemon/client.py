"""Subscriber: each event's revisions once and in order, whatever the network does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import zmq

from daemon.wire import TOPIC_PREFIX

_SLICE_MS: Final = 100
_ANSWER_S: Final = 2.0
_ASK_AGAIN_S: Final = 1.0
_ALIVE_MS: Final = 5_000
_EVENT: Final = f"{TOPIC_PREFIX}event"


@dataclass
class Place:
    """Where a subscriber stands: what it handed over last (pure)."""

    epoch: str | None = None
    sequence: int | None = None

    def takes(self, message: dict[str, Any]) -> bool:
        """Say whether a numbered message is the next one; if so, stand there."""
        if self.epoch is None:
            self.epoch = message["epoch"]
        if self.sequence is None:
            self.sequence = message["sequence"] - 1
        if (message["epoch"], message["sequence"]) != (self.epoch, self.sequence + 1):
            return False
        self.sequence += 1
        return True

    def misses(self, epoch: str, newest: int) -> bool:
        """Say whether there is anything up to `newest` that was not handed over."""
        return self.epoch != epoch or self.sequence is None or self.sequence < newest


class Subscriber:
    """Listens to a station, asks for what it missed, and iterates over events.

    ``with Subscriber(publish, replay) as events: for event in events: ...``
    `since` is the number after which to begin: 0 is all there is, None what is
    new from now on.  Iteration ends when nothing was heard for `timeout`
    seconds; without one it never ends.
    """

    def __init__(
        self, publish: str, replay: str, *, since: int | None = None, timeout: float | None = None
    ) -> None:
        self.place = Place(sequence=since)
        self._timeout_s = timeout
        self._replay = replay
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._live = self._context.socket(zmq.SUB)
        self._live.linger = 0
        self._live.heartbeat_ivl = _ALIVE_MS
        self._live.heartbeat_timeout = 3 * _ALIVE_MS
        self._live.subscribe(TOPIC_PREFIX)
        self._live.connect(publish)
        self._ask_after_s = time.monotonic()
        self._missing = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._context.destroy(linger=0)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the data of events: each revision once, in order."""
        for message in self.messages():
            if message["type"] == _EVENT:
                yield message["data"]

    def messages(self) -> Iterator[dict[str, Any]]:
        """Iterate over the envelopes of every numbered message, each once, in order."""
        heard_s = time.monotonic()
        while self._timeout_s is None or time.monotonic() - heard_s < self._timeout_s:
            if self._missing and time.monotonic() >= self._ask_after_s:
                for message in self._caught_up():
                    yield message
                    heard_s = time.monotonic()
            live = self._next_live()
            if live is None:
                continue
            if self._fits(live):
                yield live
                heard_s = time.monotonic()

    def _next_live(self) -> dict[str, Any] | None:
        if not self._live.poll(_SLICE_MS):
            return None
        _, text = self._live.recv_multipart()
        return dict(json.loads(text))

    def _fits(self, message: dict[str, Any]) -> bool:
        """Say whether a live message is the next one; learn from it whether one is missing."""
        if "sequence" not in message:
            data = message["data"]
            epoch, newest = data["epoch"], data["newest_sequence"]
            self._missing |= self.place.misses(epoch, newest)
            return False
        if self._missing and self.place.sequence is None:
            return False  # where "now" is, only the replay knows
        if self.place.takes(message):
            return True
        self._missing |= self.place.misses(message["epoch"], message["sequence"])
        return False

    def _caught_up(self) -> Iterator[dict[str, Any]]:
        """Yield what is missing, page by page, as far as the replay answers."""
        while self._missing:
            reply = self._asked()
            if reply is None:
                self._ask_after_s = time.monotonic() + _ASK_AGAIN_S
                return
            if self._moved(reply):
                continue
            for message in reply["messages"]:
                if self.place.takes(message):
                    yield message
            self._missing = self.place.misses(reply["epoch"], reply["newest"])

    def _moved(self, reply: dict[str, Any]) -> bool:
        """Go where the reply says the numbers are, and say whether to ask once more."""
        if reply.get("error") == "bad_request":
            raise RuntimeError(f"replay: found {reply}, wanted messages")
        if "error" in reply:  # another epoch begins at its oldest number, and so does a late asker
            self.place = Place(reply["epoch"], reply["oldest"] - 1)
            return True
        if self.place.sequence is None:
            self.place = Place(reply["epoch"], reply["newest"])
        self.place.epoch = reply["epoch"]
        return False

    def _asked(self) -> dict[str, Any] | None:
        """Return the replay's answer, or None if it gave none in time."""
        request = {"epoch": self.place.epoch, "since": self.place.sequence}
        with self._context.socket(zmq.REQ) as socket:
            socket.linger = 0
            socket.connect(self._replay)
            socket.send_json(request)
            patience_s = _ANSWER_S if self._timeout_s is None else min(_ANSWER_S, self._timeout_s)
            if not socket.poll(round(1000 * patience_s)):
                return None
            return dict(json.loads(socket.recv()))
