"""Peers that end libzmq 4.3.5: requests or subscriptions and PINGs, then a reset."""

import socket
import struct
from contextlib import suppress

_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
_PING = b"\x04\x0b\x04PING\0\0abcd"
_REQUEST = b'\x00\x1c{"epoch":"one","since": 250}'
_RESET = struct.pack("ii", 1, 0)


def _ready(kind: bytes) -> bytes:
    name = b"\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    body = b"\x05READY" + name + b"\x08Identity" + bytes(4)
    return bytes([4, len(body)]) + body


def _topic(number: int) -> bytes:
    return b"\x00\x05\x01" + struct.pack(">I", number)


ASKING = (b"DEALER", (_REQUEST * 40 + _PING * 20) * 50)
LISTENING = (b"SUB", b"".join(_topic(k % 20) + _PING * (k % 12 == 0) for k in range(3000)))


def reset_round(endpoint: str, manner: tuple[bytes, bytes]) -> None:
    """Connect, send what ends libzmq, and reset; who is not there is left alone."""
    kind, flood = manner
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        peer.sendall(_GREETING + _ready(kind))
        peer.recv(64)
        peer.sendall(flood)
