"""Who listens while the fault happens: one that notes all it hears, and a proper subscriber."""

from __future__ import annotations

import json
import threading
from types import TracebackType
from typing import Any, Final, Self

import zmq

from daemon.bus.keys import read_public, read_secret
from daemon.bus.wire import TOPIC_PREFIX
from daemon.client import Subscriber

_SLICE_MS: Final = 50
_JOIN_S: Final = 10.0


class Recorder:
    """`heard` is every numbered message as it came live; `handed` what `Subscriber` gave."""

    def __init__(self, publish: str, replay: str, **curve: Any) -> None:
        self.heard: list[dict[str, Any]] = []
        self.handed: list[dict[str, Any]] = []
        self.beats: list[dict[str, Any]] = []
        self._ends, self.curve = (publish, replay), curve
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=run) for run in (self._note, self._subscribe)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_JOIN_S)

    def _note(self) -> None:
        with zmq.Context() as context, context.socket(zmq.SUB) as socket:
            socket.linger = 0
            socket.reconnect_ivl = 20
            socket.subscribe(TOPIC_PREFIX)
            if self.curve:
                encrypt(socket, **self.curve)
            socket.connect(self._ends[0])
            while not self._stop.is_set():
                if socket.poll(_SLICE_MS):
                    message = json.loads(socket.recv_multipart()[1])
                    (self.heard if "sequence" in message else self.beats).append(message)

    def _subscribe(self) -> None:
        with Subscriber(*self._ends, since=0, timeout=0.1, **self.curve) as subscriber:
            while not self._stop.is_set():
                self.handed.extend(subscriber.messages())


def encrypt(socket: zmq.Socket[bytes], server_key: Any, keys: Any) -> None:
    pair = read_secret(keys)
    socket.curve_serverkey = read_public(server_key).encode()
    socket.curve_publickey, socket.curve_secretkey = pair.public.encode(), pair.secret.encode()


def everything(publish: str, replay: str, newest: int, **curve: Any) -> list[dict[str, Any]]:
    """Return what a subscriber that comes late is given, up to a number."""
    found: list[dict[str, Any]] = []
    if newest:
        with Subscriber(publish, replay, since=0, timeout=20, **curve) as subscriber:
            for message in subscriber.messages():
                found.append(message)
                if message["sequence"] >= newest:
                    break
    return found
