"""What is told of the model that scores, and of the last try to train a better one."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge

from daemon.retraining.state import OUTCOMES
from detector.errors import REASONS


class ModelMetrics:
    """The model, its switches, what was refused, and retraining."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.model = Gauge("kilokai_model_info", "The model that scores", ["model"], registry=own)
        self.model_loaded = Gauge(
            "kilokai_model_loaded_time_seconds", "When that model was loaded", registry=own
        )
        self.model_switches = Counter(
            "kilokai_model_switches", "Models that took over while the daemon ran", registry=own
        )
        self.model_failures = Counter(
            "kilokai_model_load_failures", "Models that were not let score", ["reason"],
            registry=own,
        )  # fmt: skip
        self.model_refused = Gauge(
            "kilokai_model_refused", "1 while the model that should score is not let", registry=own
        )
        self._make_retrain(own)
        for reason in REASONS:
            self.model_failures.labels(reason)

    def _make_retrain(self, own: CollectorRegistry) -> None:
        self.retrain_running = Gauge(
            "kilokai_retrain_running", "1 while a retraining runs", registry=own
        )
        self.retrain_last_end = Gauge(
            "kilokai_retrain_last_end_time_seconds",
            "When the last retraining ended; 0: never",
            registry=own,
        )
        self.retrain_last_accepted = Gauge(
            "kilokai_retrain_last_accepted_time_seconds",
            "When a retrained model was last accepted; 0: never",
            registry=own,
        )
        self.retrain_outcome = Gauge(
            "kilokai_retrain_outcome", "1 for how the last retraining ended", ["outcome"],
            registry=own,
        )  # fmt: skip
        self.retrain_refused = Gauge(
            "kilokai_retrain_refused_in_a_row",
            "Retrainings that were refused or failed since the last accepted one",
            registry=own,
        )
        self.retrain_too_little = Gauge(
            "kilokai_retrain_too_little_in_a_row",
            "Retrainings that found too little typical sound since one was accepted, refused or "
            "out of season",
            registry=own,
        )
        for outcome in OUTCOMES:
            self.retrain_outcome.labels(outcome)

    def take_model(self, model: str) -> None:
        """Learn which model scores from now on."""
        self.model.clear()
        self.model.labels(model).set(1)
        self.model_loaded.set(time.time())
