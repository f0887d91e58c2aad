"""What libzmq's events say of peers that did not get in (pure).

Source: zmq_socket_monitor(3) and the values in zmq.h.  An event of a handshake
names no connection, only that it began and that it closed do; but all of them come
from one thread, so that a failure is followed at once by its connection's close.
"""

from __future__ import annotations

from errno import EAGAIN
from typing import Final, Literal

import zmq

Refusal = Literal["unknown_key", "wrong_server_key", "no_handshake", "too_slow", "too_many_topics"]
REFUSALS: Final[tuple[Refusal, ...]] = (
    "unknown_key",  # its key is not allowed
    "wrong_server_key",  # it expected another station, or garbled its greeting
    "no_handshake",  # it has no keys, speaks another protocol, or left before it was let in
    "too_slow",  # it never finished its greeting
    "too_many_topics",  # subscriptions without end: every peer was sent away
)
WATCHED: Final = (
    zmq.EVENT_ACCEPTED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
_CRYPTOGRAPHIC: Final = 0x11000001


class Handshakes:
    """Follows one socket's connections from their begin to their being let in, or not.

    Which of several that are under way was let in is not told: the oldest is
    taken for it.  So a refusal may be counted late, but none twice.  `peers` is how many
    are in.
    """

    def __init__(self) -> None:
        self.peers = 0
        self._under_way: dict[int, None] = {}
        self._failed = False

    def sent_away(self) -> None:
        """Learn that we closed every connection ourselves: of that libzmq tells nothing."""
        self._under_way.clear()
        self.peers = 0

    def take(self, event: int, value: int) -> Refusal | None:
        """Return why a peer was refused, if this event says that one was."""
        if event == zmq.EVENT_ACCEPTED:
            self._under_way[value] = None
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._end(None)
            self.peers += 1
        elif event == zmq.EVENT_DISCONNECTED:
            return self._closed(value)
        else:
            self._failed = True
            return _why(event, value)
        return None

    def _closed(self, connection: int) -> Refusal | None:
        failed, self._failed = self._failed, False
        if failed:
            self._end(connection)
        elif connection in self._under_way:
            self._end(connection)
            return "no_handshake"
        else:
            self.peers = max(self.peers - 1, 0)
        return None

    def _end(self, connection: int | None) -> None:
        """Take one off those under way: this one if it is there, else the oldest."""
        if connection not in self._under_way:
            connection = next(iter(self._under_way), None)
        if connection is not None:
            del self._under_way[connection]


def _why(event: int, value: int) -> Refusal | None:
    if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        return None  # who refused it knows, and counted it
    if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return "wrong_server_key" if value == _CRYPTOGRAPHIC else "no_handshake"
    return "too_slow" if value == EAGAIN else "no_handshake"
