"""The sockets: an XPUB for what happens, a ROUTER for what happened.  Neither ever blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import zmq

from daemon.bus.gate import Curve, Gate
from daemon.bus.handshakes import GREETING_S, Refusal
from daemon.bus.replay import Shelf, answer
from daemon.listening import listening
from daemon.progress import Outgoing

_log = structlog.get_logger()

_Socket = zmq.Socket[bytes]
_LINGER_MS: Final = 500  # the default, for ever, hangs the exit when a subscriber is stuck
_WAITING_MESSAGES: Final = 1_000  # for each subscriber; what is dropped beyond, it can ask for
_WAITING_PAGES: Final = 1  # for each asker; one that asks on without reading gets no more
_SENT_BYTES: Final = 32 << 10  # in the kernel, for each peer; it takes twice that
_LARGEST_REQUEST_BYTES: Final = 4 << 10
_REQUESTS_AT_ONCE: Final = 32  # so that no number of askers keeps the loop from sound
_UNREAD_TOPICS: Final = 10  # of each subscriber: libzmq takes in all of them at once
_TOPICS: Final = 1_000  # on which a subscriber's topics are no longer an honest one's
_TOPICS_AT_ONCE: Final = 1_000
_GREETING_MS: Final = round(1000 * GREETING_S)
_SILENT_S: Final = 10  # without a byte, after which the kernel looks whether a peer is there
_PROBE_S: Final = 5
_PROBES: Final = 3
_UNTAKEN_MS: Final = 30_000  # bytes that a peer does not take for so long end its connection
_TRIES_TOLD: Final = 100  # to listen again, of which there are some twenty a second


class Publisher:
    """Sends messages and answers replay requests, in the thread that made it."""

    def __init__(self, publish: _Socket, replay: _Socket, gate: Gate) -> None:
        self._publish = publish
        self._replay = replay
        self._gate = gate
        self._topics = 0
        self._closed: dict[_Socket, str] = {}
        self._tries = 0
        self._poller = zmq.Poller()
        for socket in (publish, replay, *gate.sockets):
            self._poller.register(socket, zmq.POLLIN)
        self.endpoints = (_bound(publish), _bound(replay))

    def wake_by(self, descriptor: int) -> None:
        """Let what comes in at a descriptor end a wait."""
        self._poller.register(descriptor, zmq.POLLIN)

    def send(self, messages: Iterable[Outgoing]) -> None:
        """Send numbered messages to whoever listens."""
        for message in messages:
            self.send_text(message.topic, message.text)

    def send_text(self, topic: str, text: str) -> None:
        """Send one message; who is stuck or away misses it and can ask for it."""
        try:
            self._publish.send_multipart([topic.encode(), text.encode()], zmq.NOBLOCK)
        except zmq.Again:  # XPUB drops by itself; this is only for the day it does not
            return

    @property
    def subscribers(self) -> int:
        """How many peers are connected to `publish` and were let in."""
        return self._gate.peers(self._publish)

    def serve(self, shelf: Shelf, *, wait_s: float) -> int:
        """Do what comes in within the next `wait_s`; return how many replay requests there were."""
        self._poller.poll(round(1000 * wait_s))
        self._reopen()
        if self._gate.serve():
            self._send_away(self._publish, self._replay)
        self._count_topics()
        return self._answer(shelf)

    def _answer(self, shelf: Shelf) -> int:
        for count in range(_REQUESTS_AT_ONCE):
            try:
                *way, request = self._replay.recv_multipart(zmq.NOBLOCK)
                self._replay.send_multipart([*way, answer(request, shelf).encode()], zmq.NOBLOCK)
            except zmq.Again:
                return count
        return _REQUESTS_AT_ONCE

    def _count_topics(self) -> None:
        """Follow what is subscribed to; nobody honest wants more than a few topics."""
        for _ in range(_TOPICS_AT_ONCE):
            try:
                note, *more = self._publish.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            if not more:  # else it is a message that a peer made up
                self._topics += {b"\1": 1, b"\0": -1}.get(note[:1], 0)
        if self._topics > _TOPICS and self._publish not in self._closed:
            self._gate.refuse("too_many_topics", count_of_topics=self._topics)
            self._send_away(self._publish)

    def _send_away(self, *sockets: _Socket) -> None:
        """Cut every connection: who may come again does, and asks for what it missed."""
        for socket in sockets:
            if socket not in self._closed:
                self._closed[socket] = _bound(socket)
                socket.unbind(self._closed[socket])
                self._gate.sent_away(socket)

    def _reopen(self) -> None:
        """Listen again where `_send_away` closed; libzmq lets go of an address by and by."""
        for socket, endpoint in list(self._closed.items()):
            try:
                socket.bind(endpoint)
            except zmq.ZMQError as error:
                self._tries += 1
                if self._tries % _TRIES_TOLD == 0:
                    _log.error("not listening", reason="bind", where=endpoint, why=_why(error))
            else:
                self._tries = 0
                del self._closed[socket]


@contextmanager
def open_publisher(
    publish: str,
    replay: str,
    *,
    curve: Curve | None = None,
    refused: Callable[[Refusal], object] = lambda _: None,
) -> Iterator[Publisher]:
    """Give the bus at two endpoints, with `curve` only to who is allowed.

    `refused` is called for every peer that was not let in.

    Raises
    ------
    NotReadyError, SetupError
        As `listening`, if one of them cannot be bound.
    """
    context: zmq.Context[_Socket] = zmq.Context()
    try:
        gate = Gate(context, curve, refused)
        outgoing = _socket(context, zmq.XPUB, waiting=_WAITING_MESSAGES, unread=_UNREAD_TOPICS)
        asked = _socket(context, zmq.ROUTER, waiting=_WAITING_PAGES, unread=_REQUESTS_AT_ONCE)
        for socket, key, endpoint in (
            (outgoing, "bus.publish", publish),
            (asked, "bus.replay", replay),
        ):
            gate.guard(socket)
            _bind(socket, key, endpoint)
        yield Publisher(outgoing, asked, gate)
    finally:
        context.destroy(linger=_LINGER_MS)


def _socket(context: zmq.Context[_Socket], kind: int, *, waiting: int, unread: int) -> _Socket:
    socket = context.socket(kind)
    socket.linger = _LINGER_MS
    socket.sndhwm = waiting
    socket.rcvhwm = unread
    socket.maxmsgsize = _LARGEST_REQUEST_BYTES
    socket.handshake_ivl = _GREETING_MS
    socket.sndbuf = _SENT_BYTES
    # Never heartbeat_ivl: its timer ends the process where a peer has reset (see `server`).
    socket.tcp_keepalive = 1
    socket.tcp_keepalive_idle = _SILENT_S
    socket.tcp_keepalive_intvl = _PROBE_S
    socket.tcp_keepalive_cnt = _PROBES
    socket.setsockopt(zmq.TCP_MAXRT, _UNTAKEN_MS)
    return socket


def _bind(socket: _Socket, key: str, endpoint: str) -> None:
    socket.ipv6 = "[" in endpoint
    listening(key, endpoint, lambda: socket.bind(endpoint))


def _why(error: zmq.ZMQError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _bound(socket: _Socket) -> str:
    return bytes(socket.getsockopt(zmq.LAST_ENDPOINT)).decode()
