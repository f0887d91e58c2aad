"""The process of the bus: it alone holds the two sockets, and the daemon outlives it.

libzmq ends its process where a peer sends requests or subscriptions and PINGs and resets
the connection (assertion `!_io_error`, stream_engine_base.cpp, in 4.3.5): whether or not we
send heartbeats, over TCP and CURVE, with two connections.  Here that costs a restart: what
was sent so far the daemon knows, and the rest is in the outbox of the ledger.

The daemon sends, over standard input, first what to serve (`Order`), then ``{"until": N}``
when messages up to that number may go, and ``{"topic": ..., "text": ...}`` for heartbeats.
It is sent ``{"endpoints": [...]}`` or ``{"error": ...}`` at first, then reports, and
``{"log": ...}``.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from acoio.errors import NotReadyError, SetupError
from daemon.bus.gate import open_curve
from daemon.bus.handshakes import Refusal
from daemon.bus.link import Link
from daemon.bus.outbox import Outbox, open_outbox
from daemon.bus.publish import Publisher, open_publisher

_SLICE_S: Final = 0.1
_REPORT_S: Final = 0.25
_STILL_S: Final = 2.0  # a report is due also when nothing changed
_MESSAGES_AT_ONCE: Final = 256
_MOST_BYTES: Final = 512 << 20  # of data: far more than all peers can have waiting
_ORDER_S: Final = 60.0
_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>
_KEPT_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Order:
    """Where to listen, with which keys, and what to send: all after number `published`."""

    publish: str
    replay: str
    keys: str | None
    credential: str | None
    ledger: str
    epoch: str
    published: int
    until: int


def main() -> None:
    """Serve until the daemon ends."""
    _end_with_parent()
    link = Link(socket.socket(fileno=sys.stdin.fileno()))
    structlog.configure(processors=[structlog.processors.add_log_level, _Log(link)])
    order = _order(link)
    if order is None:
        return
    try:
        _serve(link, order)
    except (SetupError, NotReadyError) as error:
        link.send({"error": str(error), "passing": isinstance(error, NotReadyError)})
        sys.exit(1)
    except sqlite3.DatabaseError as error:  # the daemon finds out what that means
        link.send({"error": f"ledger: {error}", "passing": True})
        sys.exit(1)


def _serve(link: Link, order: Order) -> None:
    refused: Counter[Refusal] = Counter()
    keys = None if order.keys is None else Path(order.keys)
    curve = open_curve(keys, order.credential, os.environ)
    with (
        open_outbox(Path(order.ledger), epoch=order.epoch, sequence=order.until) as outbox,
        open_publisher(
            order.publish,
            order.replay,
            curve=curve,
            refused=lambda reason: refused.update([reason]),
        ) as publisher,
    ):
        publisher.wake_by(link.fileno())
        link.send({"endpoints": list(publisher.endpoints)})
        feed = _Feed(link, outbox, publisher, refused, order.published)
        while not link.closed:
            feed.step()
        feed.finish()


class _Feed:
    """Sends what may go, answers what is asked, and reports both."""

    def __init__(
        self,
        link: Link,
        outbox: Outbox,
        publisher: Publisher,
        refused: Mapping[Refusal, int],
        published: int,
    ) -> None:
        self._link = link
        self._outbox = outbox
        self._publisher = publisher
        self._refused = refused
        self._published = published
        self._replays = 0
        self._reported: dict[str, Any] = {}
        self._reported_s = 0.0

    def step(self) -> None:
        """Do what came in, or wait a moment for it."""
        for message in self._link.receive():
            if "until" in message:
                self._outbox.sequence = max(self._outbox.sequence, message["until"])
            else:
                self._publisher.send_text(message["topic"], message["text"])
        more = self._send()
        self._replays += self._publisher.serve(self._outbox, wait_s=0.0 if more else _SLICE_S)
        self._report(time.monotonic())

    def finish(self) -> None:
        """Send the rest; who is not fast enough asks for it another time."""
        while self._send():
            pass
        self._report(self._reported_s + _STILL_S)

    def _send(self) -> bool:
        """Send some of what may go; return True if there may be more."""
        messages = self._outbox.messages(self._published, _MESSAGES_AT_ONCE)
        if messages:
            self._publisher.send(messages)
            self._published = messages[-1].sequence
        return len(messages) == _MESSAGES_AT_ONCE

    def _report(self, now_s: float) -> None:
        said = {
            "published": self._published,
            "replays": self._replays,
            "subscribers": self._publisher.subscribers,
            "refused": dict(self._refused),
        }
        if now_s - self._reported_s < (_REPORT_S if said != self._reported else _STILL_S):
            return
        if self._link.send(said):
            self._reported, self._reported_s = said, now_s


def _order(link: Link) -> Order | None:
    """Return what to serve, or None if the daemon ended."""
    until_s = time.monotonic() + _ORDER_S
    while not link.closed and time.monotonic() < until_s:
        for message in link.receive():
            return Order(**message)
        time.sleep(_SLICE_S / 10)
    return None


def _end_with_parent() -> None:
    """Leave the order of ending to the daemon, and do not outlive it even if this hangs."""
    for number in _KEPT_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Log:
    """The last processor of structlog: the daemon writes the line."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __call__(self, _: Any, __: str, entry: MutableMapping[str, Any]) -> Any:
        try:
            self._link.send({"log": dict(entry)})
        except ValueError:  # too long for the link
            self._link.send({"log": {key: entry[key] for key in ("event", "level")}})
        raise structlog.DropEvent


if __name__ == "__main__":
    main()
