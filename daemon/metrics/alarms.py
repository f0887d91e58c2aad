"""What is told of scores and events: as many as was promised, of the same sea as then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from daemon.drift.achieved import SPANS, Achieved
from daemon.metrics.signed_histogram import SignedHistogram
from detector.events import SEVERITIES
from detector.values import Score


class AlarmMetrics:
    """Scores, events, the promised and the achieved rate, and drift."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.events = Counter("kilokai_events", "Events that ended", ["severity"], registry=own)
        self.held_back = Counter(
            "kilokai_alerts_held_back", "Events stored but not sent one by one", registry=own
        )
        self.scores = SignedHistogram(
            "kilokai_score_above_threshold_nats",
            "Scores less the threshold",
            buckets=(-40, -30, -20, -10, -5, 0, 5, 10, 30, 100, 300),
            registry=own,
        )
        self.last_score = Gauge("kilokai_last_score", "The newest score (nats)", registry=own)
        self.threshold = Gauge("kilokai_threshold", "The threshold of scores (nats)", registry=own)
        self._make_rates(own)
        self._make_achieved(own)
        for severity in SEVERITIES:
            self.events.labels(severity)

    def _make_rates(self, own: CollectorRegistry) -> None:
        self.alarms_promised = Gauge(
            "kilokai_alarms_promised_per_hour",
            "False alarms that an hour of typical sound may have",
            registry=own,
        )
        self.drift_score = Gauge(
            "kilokai_drift_score_ratio",
            "How far scores are from the calibration's; 1: as 1 in 100 without drift; 0: unknown",
            registry=own,
        )
        self.drift_level = Gauge(
            "kilokai_drift_level_ratio",
            "How far band levels are from the calibration's, as the scores'",
            registry=own,
        )

    def _make_achieved(self, own: CollectorRegistry) -> None:
        def gauge(name: str, words: str) -> Gauge:
            return Gauge(f"kilokai_alarms_achieved_{name}", words, ["span"], registry=own)

        self.alarms_achieved = gauge(
            "per_hour", "Events that an hour of sound had, over the span; 0: too little sound yet"
        )
        self._low = gauge("low_per_hour", "The low end of that rate's 95 % interval")
        self._high = gauge(
            "high_per_hour", "The high end of that rate's 95 % interval; 0: too little sound yet"
        )
        self._heard = gauge("seconds", "Sound that this rate was found in")
        for span in SPANS:
            self.take_achieved(span, None)

    def take_achieved(self, span: str, found: Achieved | None) -> None:
        """Learn the rate of alarms that a span had, or that there is too little sound to tell."""
        self.alarms_achieved.labels(span).set(found.per_hour if found else 0.0)
        self._low.labels(span).set(found.low if found else 0.0)
        self._high.labels(span).set(found.high if found else 0.0)
        self._heard.labels(span).set(3600 * found.hours if found else 0.0)

    def take_nats(self, scores: Sequence[Score]) -> None:
        """Count how scores lie to the threshold."""
        for score in scores:
            self.scores.observe(score.score - score.threshold)

    def take_events(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Count the events that ended."""
        for event in events:
            if event["status"] == "closed":
                self.events.labels(event["severity"]).inc()
