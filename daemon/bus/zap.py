"""The answer to "may this key connect?" (pure).

Source: ZeroMQ Authentication Protocol, https://rfc.zeromq.org/spec/27/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

ENDPOINT: Final = "inproc://zeromq.zap.01"
_VERSION: Final = b"1.0"
_FRAMES: Final = 7  # version, request, domain, address, identity, mechanism, one credential


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to send back, whose key it is, and from where and with which key it came."""

    reply: tuple[bytes, ...]
    name: str | None
    address: str
    key: bytes


def judge(request: Sequence[bytes], name_of: Callable[[bytes], str | None]) -> Verdict:
    """Return the verdict on a request of libzmq: 200 for a CURVE key that has a name, else 400."""
    if len(request) != _FRAMES or request[0] != _VERSION or request[5] != b"CURVE":
        number = request[1] if len(request) > 1 else b""
        return Verdict(_reply(number, None), None, "", b"")
    _, number, _, address, _, _, key = request
    name = name_of(key)
    return Verdict(_reply(number, name), name, address.decode("ascii", "replace"), key)


def _reply(number: bytes, name: str | None) -> tuple[bytes, ...]:
    if name is None:
        return _VERSION, number, b"400", b"not allowed", b"", b""
    return _VERSION, number, b"200", b"", name.encode(), b""
