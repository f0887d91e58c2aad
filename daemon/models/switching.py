"""The daemon's switch: the champion of the registry scores, from one step to the next.

A step ends with a whole record, and a window is scored by the step that completes it: so
each window is scored by one model, and none is lost in between.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import structlog

from acoio.errors import NotReadyError, SetupError
from daemon.bus.wire import Draft, model_draft
from daemon.deadline import Worker
from daemon.errors import plain
from daemon.hearing.ears import Listen
from daemon.hearing.pipeline import Pipeline
from daemon.metrics import Metrics
from daemon.models.entry import stamp_of
from daemon.models.link import CURRENT
from daemon.models.loading import First, Loading, Refusal
from daemon.patience import Patience
from detector.errors import ModelError
from detector.scoring.score import Scorer
from detector.values import iso

_NOTHING: Final = object()  # was refused
_LOAD: Final = "load"
_LOOK_S: Final = 1.0
_POLL_S: Final = 0.05  # while one is being loaded
_AGAIN_S: Final = 5.0  # after a ledger that could not be written, or a first failure to read
_DEADLINE_S: Final = 120.0  # to read and check some megabytes, on a disk that is very busy

_log = structlog.get_logger()


class ModelSwitch:
    """The chore that looks which model is the champion, loads it beside, and lets it score.

    One that must not score is refused, once until its files change, and the former one
    goes on.  Where the system was at fault, it is tried again, with growing pauses.
    """

    def __init__(
        self,
        first: First,
        loading: Loading,
        *,
        pipeline: Pipeline,
        metrics: Metrics,
        listen: Callable[[Scorer], Listen],
    ) -> None:
        self.scorer = first.scorer
        self._registry = loading.registry
        self._loading = loading
        self._pipeline = pipeline
        self._metrics = metrics
        metrics.model_refused.set_function(lambda: self.trouble is not None)
        self._listen = listen
        self._scores = first.model
        self._refused: object = _NOTHING
        self._told: str | None = None
        self._waits: str | None = None
        self._patience = Patience(_AGAIN_S)
        self._may_retry = False
        self._begun: tuple[str | None, Future[Scorer]] | None = None
        self._worker = Worker("model", deadline_s=_DEADLINE_S)
        self._due_s = 0.0
        for refusal in reversed(first.refused):  # the champion last: it is what was wanted
            self._refuse(refusal)

    @property
    def trouble(self) -> str | None:
        """What the model that is wanted is not scoring for, or None."""
        return self._waits or self._told

    def said(self) -> dict[str, Any]:
        """Return what the status says of the model."""
        scorer = self.scorer
        return {
            "model": scorer.model,
            "threshold": scorer.threshold,
            "model_from": "detector.model" if self._scores is None else "registry",
            "model_trouble": self.trouble,
        }

    def do(self, now_s: float) -> None:
        """Look, load or switch, as it is due at a time (monotonic, seconds)."""
        if now_s < self._due_s:
            return
        try:
            self._go_on(self._registry.current(), now_s)
        except SetupError as error:
            self._refuse(Refusal.of_link(error))
        except NotReadyError as error:
            if not self._waits:
                _log.warning("another model waits", reason=str(error))
            self._waits, self._due_s = f"another model waits: {error}", now_s + _AGAIN_S
            return
        self._waits, self._due_s = None, now_s + (_POLL_S if self._begun else _LOOK_S)

    def _go_on(self, wanted: str | None, now_s: float) -> None:
        if wanted in (self._scores, self.scorer.model):
            self._scores, self._begun = wanted, None
            self._forgive()
        elif self._begun and self._begun[0] == wanted:
            self._take(wanted, self._begun[1], now_s)
        elif self._key(wanted) != self._refused or self._is_due(now_s):
            self._begun = wanted, self._worker.begin(partial(self._loading.load, wanted))

    def _is_due(self, now_s: float) -> bool:
        return self._may_retry and self._patience.is_due(_LOAD, now_s)

    def _take(self, wanted: str | None, future: Future[Scorer], now_s: float) -> None:
        """Let a model score once it is loaded, or refuse it."""
        if not self._worker.is_done(future):
            return
        try:
            scorer = future.result()
        except ModelError as error:
            self._begun = None
            self._refuse(Refusal.of(wanted, error))
            self._patience.failed(_LOAD, now_s)
            return
        if scorer.model != self.scorer.model:
            by, reason = self._registry.why(wanted)
            self._switch(scorer, by, reason)
        self._scores, self._begun = wanted, None

    def _switch(self, scorer: Scorer, by: str, reason: str) -> None:
        before = self.scorer.model
        draft = switch_draft(scorer, previous=before, by=by, reason=reason)
        self._pipeline.switch(self._listen(scorer), draft, model=scorer.model)
        self.scorer = scorer
        self._metrics.take_model(scorer.model)
        self._metrics.threshold.set(scorer.threshold)
        self._metrics.model_switches.inc()
        self._forgive()
        _log.info(
            "another model scores",
            model=scorer.model, previous=before, threshold=scorer.threshold, by=by, reason=reason,
        )  # fmt: skip

    def _forgive(self) -> None:
        self._refused, self._told = _NOTHING, None
        self._patience.worked(_LOAD)

    def _refuse(self, refusal: Refusal) -> None:
        """Say and count, once until its files change, that a model does not score."""
        key = self._key(refusal.model) if refusal.model != CURRENT else refusal.message
        self._may_retry = refusal.passing
        if key == self._refused:
            return
        self._forgive()
        self._refused, name = key, refusal.model or "detector.model"
        self._told = f"model refused: {refusal.message}"
        self._metrics.model_failures.labels(refusal.reason).inc()
        _log.error(
            "model refused: another one scores",
            refused=name, kind=refusal.reason, reason=refusal.message,
            model=self.scorer.model,
        )  # fmt: skip

    def _key(self, model: str | None) -> object:
        try:
            return model, stamp_of(self._registry.folder(model)) if model else None
        except OSError as error:  # it changes as we look, or is closed to us
            return model, error.errno


def switch_draft(scorer: Scorer, *, previous: str | None, by: str, reason: str) -> Draft:
    """Return the message that a model scores from now on."""
    now = iso(datetime.now(UTC))
    return model_draft(
        now, model=scorer.model, threshold=scorer.threshold, previous=previous,
        by=by, reason=plain(reason),
    )  # fmt: skip
