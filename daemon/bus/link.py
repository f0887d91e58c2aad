"""The link between the daemon and the process of the bus: JSON objects over a socket pair.

Neither side ever waits for the other.  The socket keeps the borders of messages
(SOCK_SEQPACKET), so each is sent whole or not at all.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

_LARGEST_BYTES: Final = 64 << 10
_AT_ONCE: Final = 100


class Link:
    """One end of the pair; `closed` once the other end is gone."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self.closed = False

    @classmethod
    def pair(cls) -> tuple[Link, socket.socket]:
        """Return an end, and the other one for another process."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(here), there

    def fileno(self) -> int:
        """Return the descriptor, which can be polled."""
        return self._end.fileno()

    def send(self, message: Mapping[str, Any]) -> bool:
        """Send an object; return False if the other end does not take it now."""
        data = json.dumps(message).encode()
        if len(data) > _LARGEST_BYTES:
            raise ValueError(f"message: found {len(data)} bytes, wanted {_LARGEST_BYTES} at most")
        try:
            self._end.send(data, socket.MSG_NOSIGNAL)
        except (BlockingIOError, ConnectionError):  # a closed end is found by `receive`
            return False
        return True

    def receive(self) -> Iterator[dict[str, Any]]:
        """Yield the objects that have arrived, a bounded number of them."""
        for _ in range(_AT_ONCE):
            try:
                data = self._end.recv(_LARGEST_BYTES)
            except BlockingIOError:
                return
            except ConnectionError:
                data = b""
            if not data:
                self.closed = True
                return
            yield json.loads(data)

    def finish(self) -> None:
        """Let the other end see the end of what was sent, and go on receiving."""
        with suppress(OSError):  # the other end is gone
            self._end.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close this end."""
        self._end.close()
