"""The chore that tells how the last retraining ended, which another process did."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from daemon.metrics import Metrics
from daemon.retraining.state import OUTCOMES, State, read_state

_EVERY_S: Final = 10.0


class RetrainMetrics:
    """Reads the state file of `kilokai retrain` now and then."""

    def __init__(self, store: Path, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._due_s = 0.0

    def do(self, now_s: float) -> None:
        """Tell what is due, at a time (monotonic, seconds)."""
        if now_s >= self._due_s:
            self._due_s = now_s + _EVERY_S
            self._tell(read_state(self._store) or State())

    def _tell(self, state: State) -> None:
        here = self._metrics
        here.retrain_running.set(state.state == "running")
        here.retrain_last_end.set(_seconds(state.end))
        here.retrain_last_accepted.set(_seconds(state.accepted_at))
        here.retrain_refused.set(state.refused_in_a_row)
        here.retrain_too_little.set(state.too_little_in_a_row)
        for outcome in OUTCOMES:
            here.retrain_outcome.labels(outcome).set(outcome == state.outcome)


def _seconds(time: str | None) -> float:
    """Return a time in ISO 8601 as seconds since 1970, 0 for none."""
    return datetime.fromisoformat(time).timestamp() if time else 0.0
