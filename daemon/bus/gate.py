"""The gate of the bus: who may connect, and who was refused, counted and told."""

from __future__ import annotations

import os
import socket as sockets
import stat
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
import zmq
from zmq.utils import z85

from acoio.errors import SetupError
from daemon.bus.allowed import Allowed
from daemon.bus.handshakes import WATCHED, Handshakes, Refusal
from daemon.bus.keys import SERVER_SECRET, Pair, read_secret
from daemon.bus.zap import ENDPOINT, judge

_log = structlog.get_logger()

_Socket = zmq.Socket[bytes]
_LOOK_S: Final = 1.0  # how long a key that was revoked may go on listening
_TELL_S: Final = 60.0  # so that nobody fills the log by knocking
_ANSWERS_AT_ONCE: Final = 100
_EVENTS_AT_ONCE: Final = 1_000
_PEERS: Final = 400  # of a socket: what waits for all of them together is bounded by that
_DOMAIN: Final = b"kilokai"


@dataclass(frozen=True)
class Curve:
    """What a bus with keys needs: the station's pair, and whom it serves."""

    pair: Pair
    allowed: Allowed


def open_curve(
    keys: Path | None, credential: str | None, environ: Mapping[str, str]
) -> Curve | None:
    """Return the keys of a folder, with the secret in it or of a credential; None without a folder.

    Raises
    ------
    SetupError
        If they are not there, or others can read the secret.
    """
    if keys is None:
        return None
    if credential is None:
        return Curve(read_secret(keys / SERVER_SECRET), Allowed(keys))
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise SetupError(
            f"bus.credential: found {credential} but no CREDENTIALS_DIRECTORY, "
            f"wanted LoadCredential={credential}:PATH in the unit"
        )
    return Curve(read_secret(Path(folder, credential), credential=True), Allowed(keys))


class Gate:
    """Answers libzmq's questions and reads its events, in the thread that made the sockets."""

    def __init__(
        self,
        context: zmq.Context[_Socket],
        curve: Curve | None,
        refused: Callable[[Refusal], object],
    ) -> None:
        self._context = context
        self._curve = curve
        self._refused = refused
        self._told_s: dict[Refusal, float] = {}
        self._untold: Counter[Refusal] = Counter()
        self._watched: list[tuple[_Socket, Handshakes]] = []
        self._handshakes: dict[_Socket, Handshakes] = {}
        self._asked: _Socket | None = None
        self._look_at_s = time.monotonic()
        if curve:
            self._asked = context.socket(zmq.ROUTER)
            self._asked.linger = 0
            self._asked.bind(ENDPOINT)

    @property
    def sockets(self) -> Sequence[_Socket]:
        """What to poll."""
        return [*([self._asked] if self._asked else []), *(socket for socket, _ in self._watched)]

    def guard(self, socket: _Socket) -> None:
        """Watch a socket that is not bound yet, and let it serve only who is allowed."""
        if self._curve:
            socket.curve_secretkey = self._curve.pair.secret.encode()
            socket.curve_publickey = self._curve.pair.public.encode()
            socket.curve_server = True
            socket.zap_domain = _DOMAIN
            socket.zap_enforce_domain = True  # without an answer nobody is let in
        address = f"inproc://gate-{len(self._watched)}"
        socket.monitor(address, WATCHED)
        events = self._context.socket(zmq.PAIR)
        events.linger = 0
        events.rcvhwm = 0  # with a limit, a flood would keep libzmq's own thread waiting for us
        events.connect(address)
        handshakes = self._handshakes[socket] = Handshakes(_socket_of)
        self._watched.append((events, handshakes))

    def sent_away(self, socket: _Socket) -> None:
        """Forget the connections of a socket: all of them were closed."""
        self._handshakes[socket].sent_away()

    def peers(self, socket: _Socket) -> int:
        """Return how many peers a socket serves."""
        return self._handshakes[socket].peers(time.monotonic())

    def serve(self) -> bool:
        """Do what waits, a bounded piece at a time; say whether a key was revoked."""
        for socket, handshakes in self._watched:
            for event, value in _events(socket):
                reason = handshakes.take(event, value, time.monotonic())
                if reason:
                    self.refuse(reason)
            for connection in handshakes.beyond(_PEERS):
                self.refuse("too_many_peers", most=_PEERS)
                _cut(connection)
        if self._curve is None or self._asked is None:
            return False
        self._answer(self._asked, self._curve.allowed)
        return self._is_revoked(self._curve.allowed)

    def refuse(self, reason: Refusal, **detail: Any) -> None:
        """Count a refusal, and tell of it unless this reason was told of a moment ago."""
        self._refused(reason)
        self._untold[reason] += 1
        now_s = time.monotonic()
        if now_s >= self._told_s.get(reason, now_s):
            self._told_s[reason] = now_s + _TELL_S
            _log.warning("bus refused", reason=reason, count=self._untold.pop(reason), **detail)

    def _answer(self, asked: _Socket, allowed: Allowed) -> None:
        for _ in range(_ANSWERS_AT_ONCE):
            try:
                way, empty, *request = asked.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            verdict = judge(request, allowed.name)
            asked.send_multipart([way, empty, *verdict.reply], zmq.NOBLOCK)
            if verdict.name is None:
                key = z85.encode(verdict.key).decode() if len(verdict.key) == 32 else ""
                self.refuse("unknown_key", address=verdict.address, key=key)

    def _is_revoked(self, allowed: Allowed) -> bool:
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return False
        self._look_at_s = now_s + _LOOK_S
        return allowed.look()


def _socket_of(descriptor: int) -> int | None:
    """Return which socket a descriptor of this process is, or None if it is none."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_ino if stat.S_ISSOCK(found.st_mode) else None


def _cut(connection: int) -> None:
    """End a connection of libzmq's as if its peer had.

    Should its number be another peer's by now, that one connects again.
    """
    with suppress(OSError):
        its = sockets.socket(fileno=connection)
        try:
            its.shutdown(sockets.SHUT_RDWR)
        finally:
            its.detach()  # libzmq closes it


def _events(socket: _Socket) -> Iterator[tuple[int, int]]:
    for _ in range(_EVENTS_AT_ONCE):
        try:
            event, _endpoint = socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        yield struct.unpack("=Hi", event)
