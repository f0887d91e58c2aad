"""The bus: a PUB socket for what happens, a ROUTER for what happened.  Neither ever blocks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import zmq

from acoio.errors import SetupError
from daemon.progress import Outgoing
from daemon.replay import Shelf, answer

_LINGER_MS: Final = 500  # the default, for ever, hangs the exit when a subscriber is stuck
_WAITING_MESSAGES: Final = 10_000  # for each subscriber; what is dropped beyond, it can ask for
_LARGEST_REQUEST_BYTES: Final = 64 << 10
_REQUESTS_AT_ONCE: Final = 32  # so that no number of askers keeps the loop from sound
_ALIVE_MS: Final = 5_000


class Publisher:
    """Sends messages and answers replay requests, in the thread that made it."""

    def __init__(self, publish: zmq.Socket[bytes], replay: zmq.Socket[bytes]) -> None:
        self._publish = publish
        self._replay = replay
        self.endpoints = (_bound(publish), _bound(replay))

    def send(self, messages: Iterable[Outgoing]) -> None:
        """Send numbered messages to whoever listens."""
        for message in messages:
            self.send_text(message.topic, message.text)

    def send_text(self, topic: str, text: str) -> None:
        """Send one message; who is stuck or away misses it and can ask for it."""
        try:
            self._publish.send_multipart([topic.encode(), text.encode()], zmq.NOBLOCK)
        except zmq.Again:  # PUB drops by itself; this is only for the day it does not
            return

    def serve(self, shelf: Shelf, *, wait_s: float) -> int:
        """Answer the replay requests of at most the next `wait_s`, and return how many."""
        if not self._replay.poll(round(1000 * wait_s)):
            return 0
        for count in range(_REQUESTS_AT_ONCE):
            try:
                *way, request = self._replay.recv_multipart(zmq.NOBLOCK)
                self._replay.send_multipart([*way, answer(request, shelf).encode()], zmq.NOBLOCK)
            except zmq.Again:
                return count
        return _REQUESTS_AT_ONCE


@contextmanager
def open_publisher(publish: str, replay: str) -> Iterator[Publisher]:
    """Give the bus at two endpoints.

    Raises
    ------
    SetupError
        If one of them is in use or cannot be bound.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        outgoing = _socket(context, zmq.PUB, "bus.publish", publish)
        asked = _socket(context, zmq.ROUTER, "bus.replay", replay)
        yield Publisher(outgoing, asked)
    finally:
        context.destroy(linger=_LINGER_MS)


def _socket(
    context: zmq.Context[zmq.Socket[bytes]], kind: int, key: str, endpoint: str
) -> zmq.Socket[bytes]:
    socket = context.socket(kind)
    socket.linger = _LINGER_MS
    socket.sndhwm = _WAITING_MESSAGES
    socket.maxmsgsize = _LARGEST_REQUEST_BYTES
    socket.heartbeat_ivl = _ALIVE_MS
    socket.heartbeat_timeout = 3 * _ALIVE_MS
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SetupError(f"{key}: found {endpoint}: {reason}") from error
    return socket


def _bound(socket: zmq.Socket[bytes]) -> str:
    return bytes(socket.getsockopt(zmq.LAST_ENDPOINT)).decode()
