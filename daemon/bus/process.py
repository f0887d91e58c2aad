"""The daemon's side of the bus: a process of its own, fed, watched and started again."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from select import POLLIN, poll
from typing import Any, Final

import structlog

from acoio.errors import NotReadyError, SetupError
from daemon.bus.link import Link
from daemon.bus.server import Order
from daemon.helper import helper_command
from daemon.progress import Outgoing

_START_S: Final = 60.0  # on a busy machine; 0.5 on a quiet one
_STEADY_S: Final = 60.0  # one that lived so long is started again at once
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 10.0
_SILENT_S: Final = 15.0  # it reports every two seconds
_AWAY_S: Final = 1.0  # of a turn of ours; longer ones say nothing of its silence
_STOP_S: Final = 3.0

_log = structlog.get_logger()


@dataclass
class Traffic:
    """What happened on the bus since the last look."""

    replays: int = 0
    restarts: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class BusProcess:
    """Feeds the process that holds the sockets, and starts it again when it ends or hangs.

    It never waits for that process.  `published` is the newest number that is known to be
    sent: after a restart the next one is the first to be sent, from the outbox.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._link: Link | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._traffic = Traffic()
        self._counted: dict[str, Any] = {}
        self._ends = 0  # in a row, each soon after a start
        self._reason = ""
        self._error: Exception | None = None
        self._nudge_waits = self._hangs = False
        self._started_s = self._again_at_s = self._turn_s = self._silent_s = 0.0
        self.endpoints = ("", "")
        self.published = order.published
        self.listening = False
        self.subscribers = 0

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Let numbered messages go, which are committed and whose witness is written."""
        self._order = replace(self._order, until=messages[-1].sequence)
        self._nudge()

    def send_text(self, topic: str, text: str) -> None:
        """Send a message without a number, or lose it if the bus is not there."""
        if self._link and self.listening:
            self._link.send({"topic": topic, "text": text})

    @property
    def trouble(self) -> str | None:
        """Why nobody can listen, if the first restart did not help."""
        return self._reason if not self.listening and self._ends > 1 else None

    def serve(self, *, wait_s: float) -> Traffic:
        """Take what the process reports within a wait; return what happened since the last call."""
        if self._link:
            ready = poll()
            ready.register(self._link, POLLIN)
            ready.poll(1000 * wait_s)
            self._take(self._link)
        else:
            time.sleep(wait_s)
        self._look_after()
        traffic, self._traffic = self._traffic, Traffic()
        return traffic

    def start(self) -> None:
        """Start, and wait until it listens.

        Raises
        ------
        SetupError, NotReadyError
            If an address cannot be bound, or a key used.
        """
        self._begin()
        until_s = time.monotonic() + _START_S
        while not self.listening and time.monotonic() < until_s:
            self.serve(wait_s=0.1)
            if self._process is None:
                raise self._error or NotReadyError(f"bus: {self._reason}")
        if not self.listening:
            raise NotReadyError(f"bus: found it not listening, wanted that within {_START_S:.0f} s")

    def stop(self) -> None:
        """Let it send what may go, and end it."""
        if self._link is None or self._process is None:
            return
        self._nudge()
        self._link.finish()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
        self._take(self._link)
        self._link.close()

    def _begin(self) -> None:
        self._link, there = Link.pair()
        self._process = subprocess.Popen(
            helper_command("daemon.bus.server"),
            stdin=there.fileno(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # who signals our group leaves the order of ending to us
        )
        there.close()
        self._error, self._counted = None, {}
        self._nudge_waits = self._hangs = False
        self._started_s, self._silent_s = time.monotonic(), 0.0
        self._link.send(asdict(replace(self._order, published=self.published)))

    def _nudge(self) -> None:
        if self._link and self.listening:
            self._nudge_waits = not self._link.send({"until": self._order.until})

    def _take(self, link: Link) -> None:
        for message in link.receive():
            self._silent_s = 0.0
            if "log" in message:
                entry = message["log"]
                getattr(_log, entry.pop("level"))(entry.pop("event"), **entry)
            elif "endpoints" in message:
                self._listens(tuple(message["endpoints"]))
            elif "error" in message:
                self._error = (NotReadyError if message["passing"] else SetupError)(
                    message["error"]
                )
            else:
                self._count(message)
        if self._nudge_waits:
            self._nudge()

    def _listens(self, endpoints: tuple[str, str]) -> None:
        if self.endpoints != ("", ""):
            _log.info("the bus listens again", bus=endpoints, published=self.published)
        self.endpoints, self.listening = endpoints, True
        self._order = replace(self._order, publish=endpoints[0], replay=endpoints[1])
        self._nudge()

    def _count(self, report: Mapping[str, Any]) -> None:
        """Take a report, of which the counts are since its process began."""
        before, self._counted = self._counted, dict(report)
        self.published = max(self.published, report["published"])
        self.subscribers = report["subscribers"]
        self._traffic.replays += report["replays"] - before.get("replays", 0)
        self._traffic.refused.update(report["refused"])
        self._traffic.refused.subtract(before.get("refused", {}))

    def _look_after(self) -> None:
        now_s = time.monotonic()
        turn_s, self._turn_s = now_s - self._turn_s, now_s
        if self._process is None:
            if now_s >= self._again_at_s:
                self._begin()
            return
        code = self._process.poll()
        if code is not None:
            self._ended(code, now_s)
            return
        self._silent_s += min(turn_s, _AWAY_S)
        if self._silent_s > (_SILENT_S if self.listening else _START_S):
            self._silent_s, self._hangs = 0.0, True
            self._process.kill()

    def _ended(self, code: int, now_s: float) -> None:
        """Take its end, and decide when it begins again: the sooner, the longer it lived."""
        assert self._link is not None
        self._take(self._link)  # what it reported last
        self._link.close()
        self._link = self._process = None
        self._ends = 1 if now_s - self._started_s > _STEADY_S else self._ends + 1
        pause_s = _FIRST_PAUSE_S * 2.0 ** min(self._ends - 2, 30) if self._ends > 1 else 0.0
        self._again_at_s = now_s + min(pause_s, _LONGEST_PAUSE_S)
        self._reason = str(self._error or ("it hangs" if self._hangs else _why(code)))
        if self.endpoints != ("", ""):
            self._traffic.restarts += 1
            _log.error("the bus ended: it is started again", reason=self._reason, ends=self._ends)
        self.listening, self.subscribers = False, 0


def _why(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"signal {-code} ({signal.Signals(-code).name})"


@contextmanager
def open_bus(order: Order) -> Iterator[BusProcess]:
    """Give the bus, listening; what may go is sent before it ends.

    Raises
    ------
    SetupError, NotReadyError
        If an address cannot be bound, or a key used.
    """
    bus = BusProcess(order)
    try:
        bus.start()
        yield bus
    finally:
        bus.stop()
