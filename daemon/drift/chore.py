"""The chore of drift: the last day beside the calibration, alarms beside what was promised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from daemon.config import Config
from daemon.drift.rates import AlarmRates
from daemon.drift.watch import DriftWatch
from daemon.ledger import Ledger
from daemon.metrics import Metrics
from detector.score import Scorer
from detector.values import Score


class DriftChore:
    """Tells in metrics and status how far sound and alarms are from what they should be."""

    def __init__(
        self, config: Config, ledger: Ledger, metrics: Metrics, scorer: Callable[[], Scorer]
    ) -> None:
        promised = config.detector.false_alarms_per_hour
        self._watch = DriftWatch(config.store.path, ledger, metrics, scorer)
        self._rates = AlarmRates(ledger, metrics, scorer, promised=promised)

    def take(self, scores: Sequence[Score]) -> None:
        """Count windows that were scored, and committed, for the first time."""
        self._watch.take(scores)

    def do(self, now_s: float) -> None:
        """Compare and count what is due at a time (monotonic, seconds)."""
        self._watch.do(now_s)
        self._rates.do(now_s)

    def finish(self) -> None:
        """Keep the counts for the next run."""
        self._watch.say()

    def as_json(self) -> dict[str, Any]:
        """Return `drift` and `alarms` as the status file has them."""
        return {"drift": self._watch.as_json(), "alarms": self._rates.as_json()}
