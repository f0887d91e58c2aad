"""Who is connected to a socket, and who did not get in, by what libzmq's events say (pure).

Source: zmq_socket_monitor(3) and the values in zmq.h.  An event of a handshake
names no connection, only that it began and that it closed do; but all of them come
from one thread, so that a failure is followed at once by its connection's close.  Of some
closes there is no event (a peer that resets while its input waits, our own unbind), so
what is open is looked up with the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from errno import EAGAIN
from typing import Final, Literal

import zmq

Refusal = Literal[
    "unknown_key",
    "wrong_server_key",
    "no_handshake",
    "too_slow",
    "too_many_topics",
    "too_many_peers",
]
REFUSALS: Final[tuple[Refusal, ...]] = (
    "unknown_key",  # its key is not allowed
    "wrong_server_key",  # it expected another station, or garbled its greeting
    "no_handshake",  # it has no keys, speaks another protocol, or left before it was let in
    "too_slow",  # it never finished its greeting
    "too_many_topics",  # subscriptions without end: every peer was sent away
    "too_many_peers",  # as many as are served were connected already
)
WATCHED: Final = (
    zmq.EVENT_ACCEPTED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
GREETING_S: Final = 10.0  # libzmq closes a connection whose handshake takes longer
_GREETED_S: Final = GREETING_S + 2.0  # after that one that is open was let in
_CRYPTOGRAPHIC: Final = 0x11000001

Identity = Callable[[int], int | None]
"""Returns which socket a descriptor is, or None if it is none."""


@dataclass
class _Connection:
    """`identity` is which socket it was as it was accepted, `is_cut` that we closed it."""

    identity: int | None
    since_s: float
    is_in: bool = False
    is_cut: bool = False


class Handshakes:
    """Follows one socket's connections from their begin to their end.

    Which of several that are under way was let in is not told: the oldest is
    taken for it, until that one fails or all of them had their time.  So a refusal may be
    counted late, but none twice, and the number of peers is right within seconds.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._connections: dict[int, _Connection] = {}
        self._failed = False
        self._reason: Refusal | None = None

    def sent_away(self) -> None:
        """Forget every connection: we closed all of them, and of that libzmq reports nothing."""
        self._connections.clear()

    def peers(self, now_s: float) -> int:
        """Return how many peers are connected and were let in."""
        return sum(each.is_in or now_s - each.since_s > _GREETED_S for _, each in self._open())

    def beyond(self, most: int) -> Sequence[int]:
        """Return the newest connections, of which there are more than that, and forget them."""
        over = [connection for connection, _ in self._open()][most:]
        for connection in over:
            self._connections[connection].is_cut = True
        return over

    def _open(self) -> list[tuple[int, _Connection]]:
        """Return what is connected, the oldest first; what closed without an event is forgotten."""
        found = []
        for connection, each in list(self._connections.items()):
            if each.is_cut:
                continue
            if each.identity is not None and self._identity(connection) == each.identity:
                found.append((connection, each))
            elif each.is_in:  # while it was under way, an event tells why it closed
                del self._connections[connection]
        return found

    def take(self, event: int, value: int, now_s: float) -> Refusal | None:
        """Return why a peer was refused, if this event says that one was."""
        if event == zmq.EVENT_ACCEPTED:
            self._connections.pop(value, None)  # its number was free again
            self._connections[value] = _Connection(self._identity(value), now_s)
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._let_in()
        elif event == zmq.EVENT_DISCONNECTED:
            return self._closed(value)
        else:
            self._failed, self._reason = True, _why(event, value)
        return None

    def _closed(self, connection: int) -> Refusal | None:
        failed, self._failed = self._failed, False
        gone = self._connections.pop(connection, None)
        if gone is None or gone.is_cut:
            return self._reason if failed and gone is None else None
        if failed:
            if gone.is_in:
                self._let_in()  # it was another one that was let in
            return self._reason
        return None if gone.is_in else "no_handshake"

    def _let_in(self) -> None:
        """Take the oldest one under way as the one that was let in."""
        for each in self._connections.values():
            if not (each.is_in or each.is_cut):
                each.is_in = True
                return


def _why(event: int, value: int) -> Refusal | None:
    if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        return None  # who refused it knows, and counted it
    if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return "wrong_server_key" if value == _CRYPTOGRAPHIC else "no_handshake"
    return "too_slow" if value == EAGAIN else "no_handshake"
