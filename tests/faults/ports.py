"""Ports that stay free until a daemon binds them, even if that is seconds later."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from typing import Final

_RANGE: Final = range(20_000, 32_768)
"""Below those that Linux gives to whoever connects, lest one who waits meets himself there."""

_random = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """Return so many ports of this machine that nobody listens at."""
    with ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            port = _random.choice(_RANGE)
            one = stack.enter_context(socket.socket())
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
        return found
