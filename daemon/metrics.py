"""What Prometheus scrapes, in a registry of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    Summary,
    disable_created_metrics,
    start_http_server,
)

from acoio.clock import record_us
from acoio.errors import SetupError
from acoio.sound import Gap
from daemon import __version__
from daemon.endpoints import split_listen
from daemon.handshakes import REFUSALS
from daemon.progress import FileProgress
from daemon.retention import KINDS
from daemon.revise import scored_seconds
from detector.events import SEVERITIES
from detector.values import Score

STAGES: Final = ("read", "score", "commit")
OUTCOMES: Final = ("done", "duplicate", "set_aside", "vanished")
VERDICTS: Final = ("same", "cut", "replaced", "duplicate", "apart")
EVIDENCE_OUTCOMES: Final = ("made", "failed", "gone", "removed")
_STOP_S: Final = 1.0


class Metrics:
    """Every metric, with all of its labels from the start, so that none is ever absent."""

    def __init__(self, model: str, threshold: float) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = own = CollectorRegistry()
        ProcessCollector(registry=own)
        self.scored_seconds = Counter("kilokai_scored_seconds", "Sound scored", registry=own)
        self.newest_scored = Gauge(
            "kilokai_newest_scored_time_seconds", "UTC end of the newest sound scored", registry=own
        )
        self.files = Counter("kilokai_files", "Files finished", ["outcome"], registry=own)
        self.compared = Counter(
            "kilokai_files_compared",
            "Files that were not as they were left, by what their bytes say",
            ["verdict"],
            registry=own,
        )
        self.ignored = Gauge("kilokai_ignored_files", "Files that are no recording", registry=own)
        self.backlog = Gauge("kilokai_backlog_files", "Files with work left", registry=own)
        self.backlog_seconds = Gauge(
            "kilokai_backlog_seconds", "Sound that waits, by the sizes of files", registry=own
        )
        self.backlog_left = Gauge(
            "kilokai_backlog_left_seconds", "How long what waits will take; 0: none, or unknown",
            registry=own,
        )  # fmt: skip
        self.records = Counter("kilokai_records_read", "Records read", registry=own)
        self.damaged_bytes = Counter(
            "kilokai_damaged_bytes", "Bytes of files that gave no sound", registry=own
        )
        self.gaps = Counter("kilokai_gaps", "Gaps in the sound", registry=own)
        self.gap_seconds = Counter("kilokai_gap_seconds", "Time without sound", registry=own)
        self.events = Counter("kilokai_events", "Events that ended", ["severity"], registry=own)
        self.held_back = Counter(
            "kilokai_alerts_held_back", "Events stored but not sent one by one", registry=own
        )
        self.scores = Histogram(
            "kilokai_score_above_threshold_nats",
            "Scores less the threshold",
            buckets=(-40, -30, -20, -10, -5, 0, 5, 10, 30, 100, 300),
            registry=own,
        )
        self.last_score = Gauge("kilokai_last_score", "The newest score", registry=own)
        self.threshold = Gauge("kilokai_threshold", "The threshold of scores", registry=own)
        self.stages = Summary(
            "kilokai_stage_seconds", "Time spent in each stage", ["stage"], registry=own
        )
        self.times_real_time = Gauge(
            "kilokai_times_real_time_ratio",
            "Sound heard per time spent, since the start",
            registry=own,
        )
        self.sequence = Gauge("kilokai_bus_sequence", "The newest message's number", registry=own)
        self.store_full = Gauge(
            "kilokai_store_full", "1 while work waits for room in the store", registry=own
        )
        self.rebuilt = Counter(
            "kilokai_ledger_rebuilt", "Ledgers begun anew, for damage or loss", registry=own
        )
        self.replays = Counter("kilokai_replay_requests", "Replay requests", registry=own)
        self.refused = Counter(
            "kilokai_bus_refused", "Peers that the bus did not let in", ["reason"], registry=own
        )
        self.evidence = Counter(
            "kilokai_evidence", "Evidence by what became of it", ["kind", "outcome"], registry=own
        )
        self.store_free = Gauge("kilokai_store_free_bytes", "Room left for the store", registry=own)
        self.threshold.set(threshold)
        self._busy_s = self.heard_s = 0.0
        self._scored_until: datetime | None = None
        self._newest: datetime | None = None
        self._make_labels(model)

    def _make_labels(self, model: str) -> None:
        info = Gauge(
            "kilokai_build_info", "What runs", ["version", "model"], registry=self.registry
        )
        info.labels(__version__, model).set(1)
        for stage in STAGES:
            self.stages.labels(stage)
        for severity in SEVERITIES:
            self.events.labels(severity)
        for outcome in OUTCOMES:
            self.files.labels(outcome)
        for verdict in VERDICTS:
            self.compared.labels(verdict)
        for reason in REFUSALS:
            self.refused.labels(reason)
        for kind in KINDS:
            for outcome in EVIDENCE_OUTCOMES:
                self.evidence.labels(kind, outcome)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of the work."""
        begin_s = time.perf_counter()
        try:
            yield
        finally:
            spent_s = time.perf_counter() - begin_s
            self._busy_s += spent_s
            self.stages.labels(name).observe(spent_s)

    def take_read(self, now: FileProgress, before: FileProgress, *, rate_hz: float) -> None:
        """Count what a step read of a file."""
        count = now.records - before.records
        self.records.inc(count)
        self.damaged_bytes.inc(now.damaged_bytes - before.damaged_bytes)
        self.heard_s += count * record_us(rate_hz) / 1e6
        if self._busy_s:
            self.times_real_time.set(self.heard_s / self._busy_s)

    def take_scores(self, scores: Sequence[Score]) -> None:
        """Count the new scores of a step."""
        if not scores:
            return
        self.scored_seconds.inc(scored_seconds(scores, self._scored_until))
        self._scored_until = scores[-1].end
        if self._newest is None or scores[-1].end > self._newest:
            self._newest = scores[-1].end
            self.newest_scored.set(self._newest.timestamp())
            self.last_score.set(scores[-1].score)
        for score in scores:
            self.scores.observe(score.score - score.threshold)

    def take_gaps(self, gaps: Sequence[Gap]) -> None:
        """Count gaps; where the clock went back, no time is missing."""
        self.gaps.inc(len(gaps))
        self.gap_seconds.inc(sum(max(gap.seconds, 0) for gap in gaps))

    def take_events(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Count the events that ended."""
        for event in events:
            if event["status"] == "closed":
                self.events.labels(event["severity"]).inc()


@contextmanager
def serve_metrics(metrics: Metrics, listen: str) -> Iterator[str]:
    """Serve the metrics and give the address they are at, as HOST:PORT.

    Raises
    ------
    SetupError
        If the address cannot be bound.
    """
    host, port = split_listen(listen)
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise SetupError(f"metrics.listen: found {listen}: {error.strerror}") from error
    try:
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_STOP_S)
