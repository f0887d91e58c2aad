"""Subscriber: each event's revisions once and in order, whatever the network does."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

import zmq

from acoio.errors import SetupError
from daemon.bus.follow import Follower, Message, Place, live_message, moved, replay_message
from daemon.bus.keys import read_public, read_secret
from daemon.bus.wire import TOPIC_PREFIX

_Socket = zmq.Socket[bytes]
_SLICE_MS: Final = 100
_ANSWER_S: Final = 2.0
_ASK_AGAIN_S: Final = 1.0  # after no answer
_ASK_NEXT_S: Final = (
    0.1  # after an answer that brought nothing: many stale messages may ask for one
)
_QUIET_S: Final = 15.0  # three heartbeats; then the live connection may be dead, so ask
_ALIVE_MS: Final = 5_000
_RECONNECT_MS: Final = 2_000  # the longest pause
_LARGEST_BYTES: Final = 64 << 20
_EVENT: Final = f"{TOPIC_PREFIX}event"
_WATCHED: Final = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
_NOTICES: Final = {
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "the station does not allow this key",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "only one side has keys, or that is no bus",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "the station hung up: is the server key its own?",
}


class Subscriber:
    """Listens to a station, asks for what it missed, and iterates over events.

    ``with Subscriber(publish, replay) as events: for event in events: ...``
    `since` says after what to begin: 0 is all there is, None what is new from
    now on, a number or a message's id (`str(place)`) what came after that.
    Iteration ends when nothing was heard for `timeout` seconds; without one it
    never ends.  A station with keys wants its public key, `server_key`, and
    `keys`, the file of one's own secret.  `notice` may be set to what is told,
    in words, of what keeps messages away.

    Raises
    ------
    SetupError
        If a key or an address cannot be used.
    ValueError
        If `since` is neither a number nor a message's id.
    """

    def __init__(
        self,
        publish: str,
        replay: str,
        *,
        since: int | str | None = None,
        timeout: float | None = None,
        server_key: str | Path | None = None,
        keys: str | Path | None = None,
    ) -> None:
        self.notice: Callable[[str], object] = lambda _: None
        self._follower = Follower(Place.at(since))
        self._timeout_s = timeout
        self._curve = _curve(server_key, keys)
        self._publish, self._replay = publish, replay
        self._told = ""
        self._heard_s = self._ask_at_s = time.monotonic()
        self._connect_at_s = math.inf
        self._context: zmq.Context[_Socket] = zmq.Context()
        self._live = self._socket(zmq.SUB, publish)
        self._watch = self._monitor()
        self._live.subscribe(TOPIC_PREFIX)
        self._connect(self._live, publish)
        self._asker: _Socket | None = self._asking()

    @property
    def place(self) -> Place:
        """Where it stands: what it handed over last."""
        return self._follower.place

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
        last_s = time.monotonic()
        while self._timeout_s is None or time.monotonic() - last_s < self._timeout_s:
            for message in self._caught_up():
                yield message
                last_s = time.monotonic()
            live = self._next_live()
            if live is not None and self._follower.live(live):
                yield live
                last_s = time.monotonic()

    def _next_live(self) -> Message | None:
        waits = self._live.poll(_SLICE_MS)
        if self._look_at_connection():
            return None  # what waits is the first since it was away, so the replay is asked first
        if waits:
            self._heard_s = time.monotonic()
            return live_message(self._live.recv_multipart())
        if time.monotonic() >= self._heard_s + _QUIET_S:
            self._heard_s = time.monotonic()
            self._follower.missing = True
        return None

    def _caught_up(self) -> Iterator[Message]:
        """Yield what is missing, page by page, as far as the replay answers."""
        moves = 0
        while self._follower.missing and time.monotonic() >= self._ask_at_s:
            before, reply = str(self.place), self._asked()
            if reply is not None:
                yield from self._follower.replayed(reply)
                moves += self._tell(moved(reply))
            if before == str(self.place) or moves > 1:  # asking on at once would bring no more
                pause_s = _ASK_AGAIN_S if self._follower.missing else _ASK_NEXT_S
                self._ask_at_s = time.monotonic() + pause_s

    def _asked(self) -> Message | None:
        """Return the replay's answer, or None if it gave none in time."""
        if self._asker is None:
            self._asker = self._asking()
        patience_s = _ANSWER_S if self._timeout_s is None else min(_ANSWER_S, self._timeout_s)
        with suppress(zmq.Again):  # it cannot send once its connection was refused
            self._asker.send_json(self._follower.request, zmq.NOBLOCK)
            if self._asker.poll(round(1000 * patience_s)):
                reply = replay_message(self._asker.recv())
                if reply is None:
                    self._tell(f"{self._replay} answers what is no reply")
                return reply
        self._asker.close()  # a request that was not answered in time is forgotten with its socket
        self._asker = None
        self._tell(f"{self._replay} does not answer")
        return None

    def _look_at_connection(self) -> bool:
        """Return True if it is there again, and ask for what was missed; tell why it is not."""
        again = False
        while self._watch.poll(0):
            event, _ = struct.unpack("=Hi", self._watch.recv_multipart()[0])
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._follower.missing = again = True
                self._told = ""
                continue
            self._tell(_NOTICES[event])
            if event != zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:  # on others libzmq gives up
                self._connect_at_s = time.monotonic() + _ASK_AGAIN_S
        if time.monotonic() >= self._connect_at_s:
            self._connect_at_s = math.inf
            with suppress(zmq.ZMQError):  # libzmq may have forgotten it by itself
                self._live.disconnect(self._publish)
            self._live.connect(self._publish)
        return again

    def _tell(self, words: str | None) -> bool:
        """Tell something once, until something else is told; say whether there was anything."""
        if words and words != self._told:
            self._told = words
            self.notice(words)
        return bool(words)

    def _asking(self) -> _Socket:
        return self._connect(self._socket(zmq.REQ, self._replay), self._replay)

    def _connect(self, socket: _Socket, endpoint: str) -> _Socket:
        try:
            socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close()
            wanted = "wanted an address as tcp://station:5556"
            raise SetupError(f"{endpoint}: {zmq.strerror(error.errno or 0)}, {wanted}") from error
        return socket

    def _monitor(self) -> _Socket:
        self._live.monitor("inproc://live", _WATCHED)
        watch = self._context.socket(zmq.PAIR)
        watch.rcvhwm = 0  # with a limit, libzmq's own thread waits for who does not iterate
        watch.connect("inproc://live")
        return watch

    def _socket(self, kind: int, endpoint: str) -> _Socket:
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.ipv6 = "[" in endpoint
        socket.maxmsgsize = _LARGEST_BYTES
        socket.reconnect_ivl_max = _RECONNECT_MS
        socket.heartbeat_ivl = _ALIVE_MS
        socket.heartbeat_timeout = 3 * _ALIVE_MS
        if self._curve:
            socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = self._curve
        return socket


def _curve(server_key: str | Path | None, keys: str | Path | None) -> tuple[bytes, ...]:
    """Return the server's key and one's own two, or nothing for a bus without keys."""
    if server_key is None and keys is None:
        return ()
    if server_key is None or keys is None:
        lacking = "server_key" if server_key is None else "keys"
        raise SetupError(f"{lacking}: found nothing, wanted both server_key and keys, or neither")
    own = read_secret(Path(keys))
    return read_public(server_key).encode(), own.public.encode(), own.secret.encode()
