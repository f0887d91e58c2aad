"""Signs of life: the heartbeat on the bus, and the watchdog of systemd."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from acoio.clock import from_us
from daemon.bus.process import BusProcess
from daemon.bus.wire import Newest, heartbeat, nonce_of, topic
from daemon.health.notify import notify, watchdog_s
from daemon.ledger.ledger import Ledger
from detector.values import iso

_FEEDS_A_DEADLINE = 4


class Heart:
    """Beats on the bus by the clock; feeds the watchdog only when work went on.

    `tell` says how things stand, for `systemctl status`.
    """

    def __init__(
        self,
        bus: BusProcess,
        ledger: Ledger,
        *,
        station: str,
        heartbeat_s: float,
        tell: Callable[[], str],
        beaten: Callable[[], object],
    ) -> None:
        self._bus = bus
        self._ledger = ledger
        self._station = station
        self._beaten = beaten
        self._heartbeat_s = heartbeat_s
        self._tell = tell
        deadline_s = watchdog_s(os.environ)
        self._feed_s = deadline_s / _FEEDS_A_DEADLINE if deadline_s else None
        self._beat_at_s = self._feed_at_s = time.monotonic()

    def beat_every(self, heartbeat_s: float) -> None:
        """Beat so often, from now on."""
        self._heartbeat_s = heartbeat_s
        self._beat_at_s = time.monotonic()

    def beat(self, *, went_on: bool) -> None:
        """Do what is due: `went_on` says that work was done, or that there was none to do."""
        now_s = time.monotonic()
        if now_s >= self._beat_at_s:
            self._beat_at_s = now_s + self._heartbeat_s
            self._bus.send_text(topic("heartbeat", self._station), self._text())
            notify(f"STATUS={self._tell()}", os.environ)
            self._beaten()
        if went_on and self._feed_s is not None and now_s >= self._feed_at_s:
            self._feed_at_s = now_s + self._feed_s
            notify("WATCHDOG=1", os.environ)

    def _text(self) -> str:
        ledger, scored_us = self._ledger, self._ledger.newest_scored_us
        last = ledger.messages(ledger.sequence - 1, 1)  # none if it is no longer kept
        nonce = nonce_of(last[0].text) if last else None
        return heartbeat(
            iso(datetime.now(UTC)),
            station=self._station,
            newest=Newest(ledger.epoch, ledger.sequence, nonce),
            scored=None if scored_us is None else iso(from_us(scored_us)),
        )
