"""All metrics, in a registry of their own."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version

import zmq
from prometheus_client import Counter, Gauge, ProcessCollector, disable_created_metrics

from acoio.clock import from_us
from daemon import __version__
from daemon.ahead import age
from daemon.bus.wire import TOPIC_PREFIX
from daemon.ledger.ledger import Ledger
from daemon.metrics.alarms import AlarmMetrics
from daemon.metrics.bus import BusMetrics
from daemon.metrics.drop import DropMetrics
from daemon.metrics.models import ModelMetrics
from daemon.metrics.registry import Registry
from daemon.metrics.sound import SoundMetrics
from daemon.metrics.store import StoreMetrics
from daemon.metrics.timing import TimingMetrics
from daemon.progress import FileProgress, Outgoing
from detector.features.gaps import dead_channel
from detector.values import Score


class Metrics(
    SoundMetrics, DropMetrics, AlarmMetrics, BusMetrics, StoreMetrics, ModelMetrics, TimingMetrics
):
    """Every metric, with all of its labels from the start, so that none is ever absent.

    Its attributes are those of the classes it is made of.
    """

    def __init__(self, model: str, threshold: float) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = own = Registry()
        SoundMetrics.__init__(self, own)
        DropMetrics.__init__(self, own)
        AlarmMetrics.__init__(self, own)
        BusMetrics.__init__(self, own)
        StoreMetrics.__init__(self, own)
        ModelMetrics.__init__(self, own)
        TimingMetrics.__init__(self, own)
        self.clients_lost = Counter(
            "kilokai_metrics_clients_lost",
            "Clients of this page that were gone, or spoke otherwise, before their answer",
            registry=own,
        )
        ProcessCollector(registry=own)
        self.threshold.set(threshold)
        self.take_model(model)
        self._newest: datetime | None = None
        self._say_what_runs()

    def _say_what_runs(self) -> None:
        started = Gauge(
            "kilokai_start_time_seconds", "When the daemon started", registry=self.registry
        )
        started.set(time.time())
        what = {
            "version": __version__,
            "python": platform.python_version(),
            "torch": version("torch"),
            "zmq": zmq.zmq_version(),
        }
        info = Gauge("kilokai_build_info", "What runs", [*what], registry=self.registry)
        info.labels(*what.values()).set(1)

    def take_up(self, ledger: Ledger) -> None:
        """Go on from what the ledger tells of the time before this start."""
        self.sequence.set(ledger.sequence)
        self.rebuilt.inc(ledger.rebuilt)
        self.take_channel(dead_channel(ledger.lane("live").tracker), None)
        if ledger.newest_scored_us is not None:
            self._take_newest(from_us(ledger.newest_scored_us))

    def take_read(
        self, now: FileProgress, before: FileProgress, *, rate_hz: float, damaged: int = 0
    ) -> None:
        """Count what a step read of a file; `damaged` is how many places were."""
        super().take_read(now, before, rate_hz=rate_hz, damaged=damaged)
        if self.busy_s:
            self.times_real_time.set(self.heard_s / self.busy_s)

    def take_scores(self, scores: Sequence[Score]) -> None:
        """Count the new scores of a step."""
        if not scores:
            return
        self.take_scored(scores)
        self.take_nats(scores)
        if self._take_newest(scores[-1].end):
            self.last_score.set(scores[-1].score)

    def _take_newest(self, end: datetime) -> bool:
        """Learn until when sound was scored; say whether that is newer than all before."""
        if self._newest is not None and age(end) <= age(self._newest):
            return False
        self._newest = end
        self.newest_scored.set(end.timestamp())
        return True

    def take_messages(self, messages: Sequence[Outgoing]) -> None:
        """Count numbered messages that were sent."""
        for message in messages:
            self.messages.labels(message.type.removeprefix(TOPIC_PREFIX)).inc()
        if messages:
            self.sequence.set(messages[-1].sequence)
            self.take_sent(len(messages))
