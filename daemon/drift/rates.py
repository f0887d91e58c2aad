"""The chore that tells how many alarms the model achieves, beside how many it promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from acoio.errors import NotReadyError
from daemon.drift.achieved import SPANS, Achieved, Heard, achieved
from daemon.drift.book import heard_in, hours_with_sound
from daemon.ledger.ledger import Ledger
from daemon.metrics import Metrics
from detector.scoring.score import Scorer

_EVERY_S: Final = 60.0
_AT_ONCE: Final = 8  # hours of the ledger that are counted in a turn: some ten milliseconds
_TURN_S: Final = 0.5
_AGAIN_S: Final = 600.0  # an hour long past is counted again: late sound, and verdicts


class AlarmRates:
    """Counts what the ledger has of the last day and week of sound, some hours at a time."""

    def __init__(
        self, ledger: Ledger, metrics: Metrics, scorer: Callable[[], Scorer], *, promised: float
    ) -> None:
        self.found: dict[str, Achieved | None] = dict.fromkeys(SPANS)
        self._ledger = ledger
        self._metrics = metrics
        self._scorer = scorer
        self._promised = promised
        self._whose: tuple[str, float] = ("", 0.0)
        self._heard: dict[int, Heard] = {}
        self._counted_s: dict[int, float] = {}
        self._hours: list[int] = []
        self._wanted: list[int] = []
        self._due_s = self._look_s = 0.0

    def do(self, now_s: float) -> None:
        """Count some hours of the ledger, if any are due at a time (monotonic, seconds)."""
        if now_s < self._due_s:
            return
        with suppress(NotReadyError):  # the ledger cannot be read right now
            self._go_on(now_s)
        self._due_s = now_s + _TURN_S

    def as_json(self) -> dict[str, Any]:
        """Return the promised and the achieved rates; None for a span of too little sound."""
        rates = {span: found and found.as_json() for span, found in self.found.items()}
        return {"promised_per_hour": self._promised, **rates}

    def _go_on(self, now_s: float) -> None:
        scorer = self._scorer()
        if self._whose != (scorer.model, scorer.threshold):
            self._whose, self._look_s = (scorer.model, scorer.threshold), 0.0
            self._heard, self._counted_s = {}, {}
            self._hours, self._wanted = [], []
        if now_s >= self._look_s:
            self._look(now_s)
            self._look_s = now_s + _EVERY_S
        if turn := self._wanted[:_AT_ONCE]:
            self._count(turn, now_s)
            self._wanted = self._wanted[len(turn) :]
            if not self._wanted:
                self._say(scorer.features.step_s)

    def _look(self, now_s: float) -> None:
        """Find out which hours to count: new ones, the newest, and those counted long ago."""
        with self._ledger.transaction() as database:
            self._hours = hours_with_sound(database, max(SPANS.values()))
        gone = self._heard.keys() - set(self._hours)
        for hour in gone:
            del self._heard[hour], self._counted_s[hour]
        before_s = now_s - _AGAIN_S
        newest, older = self._hours[:2], self._hours[2:]
        known_s = self._counted_s
        self._wanted = newest + [h for h in older if known_s.get(h, before_s) <= before_s]

    def _count(self, hours: Sequence[int], now_s: float) -> None:
        model, threshold = self._whose
        with self._ledger.transaction() as database:
            for hour in hours:
                self._heard[hour] = heard_in(database, hour, model=model, threshold=threshold)
                self._counted_s[hour] = now_s

    def _say(self, step_s: float) -> None:
        for span, most in SPANS.items():
            heard = [self._heard[hour] for hour in self._hours[:most]]
            self.found[span] = found = achieved(heard, step_s=step_s)
            self._metrics.take_achieved(span, found)
