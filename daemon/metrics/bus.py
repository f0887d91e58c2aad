"""What is told of the bus: what was sent, to how many, how late, and who was refused."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from daemon.bus.handshakes import REFUSALS
from daemon.bus.process import Traffic
from daemon.bus.wire import KINDS, Draft

_DELAYS_S: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 21_600, 86_400)


class BusMetrics:
    """Messages, subscribers, replays and refusals.

    What libzmq drops for a subscriber that is too slow, and what waits for it, no
    stable interface of libzmq tells; such a subscriber asks again, and that is counted.
    """

    def __init__(self, own: CollectorRegistry) -> None:
        self.sequence = Gauge("kilokai_bus_sequence", "The newest message's number", registry=own)
        self.messages = Counter(
            "kilokai_bus_messages", "Messages given to the bus", ["kind"], registry=own
        )
        self.subscribers = Gauge(
            "kilokai_bus_subscribers", "Peers that are connected to bus.publish", registry=own
        )
        self.replays = Counter("kilokai_replay_requests", "Replay requests", registry=own)
        self.refused = Counter(
            "kilokai_bus_refused", "Peers that the bus did not let in", ["reason"], registry=own
        )
        self.bus_up = Gauge(
            "kilokai_bus_up", "1 while the process of the bus listens, else 0", registry=own
        )
        self.bus_restarts = Counter(
            "kilokai_bus_restarts", "Ends of the process of the bus, each a restart", registry=own
        )
        self.event_delay = Histogram(
            "kilokai_event_delay_seconds",
            "From the sound that a message of an event tells of to its sending",
            buckets=_DELAYS_S,
            registry=own,
        )
        for kind in KINDS:
            self.messages.labels(kind)
        for reason in REFUSALS:
            self.refused.labels(reason)

    def take_traffic(self, traffic: Traffic) -> None:
        """Count what happened on the bus."""
        self.replays.inc(traffic.replays)
        self.bus_restarts.inc(traffic.restarts)
        for reason, count in traffic.refused.items():
            self.refused.labels(reason).inc(count)

    def take_bus(self, *, listening: bool, subscribers: int) -> None:
        """Show how the bus is."""
        self.bus_up.set(listening)
        self.subscribers.set(subscribers)

    def take_drafts(self, drafts: Iterable[Draft]) -> None:
        """Learn how long after its sound each event was told of."""
        now_s = time.time()
        for draft in drafts:
            if draft.kind == "event":
                sound_s = datetime.fromisoformat(draft.time).timestamp()
                self.event_delay.observe(max(now_s - sound_s, 0.0))
