"""The chore that compares the last day of sound with what the model was calibrated on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog

from acoio.errors import NotReadyError
from daemon.drift.hours import Hours
from daemon.durable import write_whole
from daemon.ledger.ledger import Ledger
from daemon.metrics import Metrics
from detector.calibration.drift import Drift
from detector.files import read_regular
from detector.scoring.score import Scorer
from detector.values import Score

FILE: Final = "drift.json"
_EVERY_S: Final = 60.0
_NO_COUNTS: Final = (  # what reading any JSON as counts may raise
    ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip

_log = structlog.get_logger()


class DriftWatch:
    """Counts what is scored, compares it, and says so in metrics and status.

    Its counts are in a file of the store, written once a minute and at the end: what a
    crash loses of them is less than a minute in a day, and nothing else depends on them.
    """

    def __init__(
        self, store: Path, ledger: Ledger, metrics: Metrics, scorer: Callable[[], Scorer]
    ) -> None:
        self.found: Drift | None = None
        self._path = store / FILE
        self._ledger = ledger
        self._metrics = metrics
        self._scorer = scorer
        self._model = ""
        self._hours: Hours | None = None
        self._due_s = 0.0
        self._begin()

    def take(self, scores: Sequence[Score]) -> None:
        """Count windows that were scored, and committed, for the first time."""
        self._begin()
        if self._hours:
            self._hours.take(scores)

    def do(self, now_s: float) -> None:
        """Compare and write, if it is due at a time (monotonic, seconds)."""
        self._begin()
        if now_s >= self._due_s:
            self._due_s = now_s + _EVERY_S
            self.say()

    def say(self) -> None:
        """Tell how far the sound has drifted, 0 while that is unknown, and write the counts."""
        self.found = self._hours.drift() if self._hours else None
        self._metrics.drift_score.set(self.found.score.ratio if self.found else 0.0)
        self._metrics.drift_level.set(self.found.level.ratio if self.found else 0.0)
        if self._hours:
            values = {**self._whose(), "hours": self._hours.as_json()}
            with suppress(NotReadyError):  # a full disk: later, then
                write_whole(self._path, json.dumps(values).encode(), durable=False)

    def as_json(self) -> dict[str, Any] | None:
        """Return how far it has drifted, or None while that is unknown."""
        edges_hz = self._scorer().features.band_edges_hz.tolist()
        return self.found.as_json(edges_hz) if self.found else None

    def _begin(self) -> None:
        """Count for the model that scores now; for another one the counts begin anew."""
        scorer = self._scorer()
        if scorer.model == self._model:
            return
        self._model, self._due_s, self.found = scorer.model, 0.0, None
        self._hours = Hours(scorer.reference) if scorer.reference else None
        if self._hours:
            self._recall(self._hours)
        else:
            _log.info("drift unknown: the model has no reference", model=scorer.model)

    def _recall(self, hours: Hours) -> None:
        with suppress(OSError):
            text = read_regular(self._path)
            try:
                values = json.loads(text)
                if self._whose().items() <= values.items():
                    hours.recall(values["hours"])
            except _NO_COUNTS as error:
                _log.warning("counts for drift begin anew", file=FILE, reason=str(error))

    def _whose(self) -> dict[str, str]:
        """Return what the counts are of: a ledger begun anew scores its sound again."""
        return {"model": self._model, "epoch": self._ledger.epoch}
