"""sd_notify: tells systemd how the service is, if systemd asked."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def notify(message: str, environ: Mapping[str, str]) -> bool:
    """Send one message, as "READY=1"; say whether systemd was there to hear it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.setblocking(False)
        try:
            sender.sendto(message.encode(), address.replace("@", "\0", 1))
        except OSError:  # systemd's socket is full or gone: its watchdog judges, not we
            return False
    return True


def watchdog_s(environ: Mapping[str, str]) -> float | None:
    """Return how often systemd wants a sign of life, in seconds, or None."""
    wanted_us = environ.get("WATCHDOG_USEC", "")
    owner = environ.get("WATCHDOG_PID", str(os.getpid()))
    if not wanted_us.isdecimal() or owner != str(os.getpid()):
        return None
    return int(wanted_us) / 1e6
