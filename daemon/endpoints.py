"""Where the bus and the metrics may listen, and whether two of these are one place."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from typing import Final

_TCP = re.compile(r"tcp://(?P<host>[^/]+):(?P<port>\d{1,5})")
TCP: Final = "tcp://"
IPC: Final = "ipc://"
_EVERY: Final = frozenset(("0.0.0.0", "::"))  # interface of this machine
_IPC_BYTES: Final = 107  # what sun_path holds, less its ending zero


def check_endpoint(endpoint: str, *, guarded: bool) -> str:
    """Return a bus endpoint: on this machine, or anywhere if it is guarded by keys.

    Raises
    ------
    ValueError
        If it is neither TCP, loopback where not guarded, nor a short enough ipc path.
    """
    if endpoint.startswith(IPC) and 0 < len(endpoint[6:].encode()) <= _IPC_BYTES:
        return endpoint
    match = _TCP.fullmatch(endpoint)
    if match and int(match["port"]) <= 65535 and (guarded or is_loopback(match["host"])):
        return endpoint
    raise ValueError("no endpoint on this machine")


def check_listen(address: str) -> str:
    """Return a HOST:PORT.

    Raises
    ------
    ValueError
        If it is none.
    """
    split_listen(address)
    return address


def split_listen(address: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT or [HOST]:PORT.

    Raises
    ------
    ValueError
        If the host is empty or the port is no number from 0 to 65535.
    """
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError("no HOST:PORT")
    return host, int(port)


def join_listen(host: str, port: int) -> str:
    """Return HOST:PORT, or [HOST]:PORT of an address with colons."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def is_same(first: str, second: str) -> bool:
    """Return True if two addresses cannot both be listened at.

    They are HOST:PORT, with or without tcp://, or ipc paths; a host is what it resolves to.
    Names are looked up only where the ports are the same; port 0 is never the same.
    """
    if first.startswith(IPC) or second.startswith(IPC):
        paths = [
            os.path.realpath(a.removeprefix(IPC)) for a in (first, second) if a.startswith(IPC)
        ]
        return len(paths) == 2 and paths[0] == paths[1]
    try:
        (host, port), (other, others) = (split_listen(a.removeprefix(TCP)) for a in (first, second))
    except ValueError:  # as a status file may hold
        return first == second
    if port != others or port == 0:
        return False
    hosts, rest = _resolved(host), _resolved(other)
    return bool(hosts & rest or (hosts | rest) & _EVERY)


def _resolved(host: str) -> frozenset[str]:
    """Return the addresses of a host; of one that has none just now, its name."""
    if host == "*":
        return _EVERY
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset((host.lower(),))
    return frozenset(str(address[0]).removeprefix("::ffff:") for *_, address in found)
