"""What is made and removed beside the sound: clips, pictures, days of scores.

The loop asks now and then; what takes longer than a look is done by a process of its
own (`work`), and the ledger says what remains (`rows`, `score_days`).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, Final

import structlog

from acoio.clock import to_us
from acoio.errors import NotReadyError
from daemon.config import Config
from daemon.evidence.paths import evidence_path, wanted_span
from daemon.evidence.retention import Kind, Limits, makeable, rule
from daemon.evidence.rows import EvidenceRows, Result, Wanted
from daemon.evidence.score_days import ScoreDays
from daemon.evidence.work import Job, Work
from daemon.evidence.worker import HALVES
from daemon.ledger.ledger import Ledger
from daemon.metrics import Metrics
from daemon.options import Evidence

_GB: Final = 1e9
_LOOK_S: Final = 1.0
_TIDY_S: Final = 60.0
_AGAIN_S: Final = 10.0  # after what could not be done
_PATIENCE_S: Final = 30.0  # for the sound after an event, which may never come
_AT_ONCE: Final = 16
_SLICE_S: Final = 0.02

_log = structlog.get_logger()


class EvidenceChore:
    """A chore of the loop: at most one process works at a time, on a few pieces."""

    def __init__(
        self, store: Path, settings: Evidence, *, ledger: Ledger, work: Work, metrics: Metrics
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._work = work
        self._metrics = metrics
        self._rows = EvidenceRows(ledger)
        self._days = ScoreDays(ledger)
        self._jobs: Sequence[Job] = ()
        self._look_s = self._tidy_s = 0.0
        self._seen_s: dict[str, float] = {}
        self._again_s: dict[tuple[str, str], float] = {}
        self.take_settings(settings)
        shutil.rmtree(store / HALVES, ignore_errors=True)

    def take_settings(self, settings: Evidence) -> None:
        """Make and keep what these say, from the next look on."""
        self._settings = settings
        self._limits = Limits(
            settings.keep_days, settings.keep_gb * _GB, settings.min_free_gb * _GB
        )
        self._metrics.store_min_free.set(self._limits.min_free_bytes)
        self._work.place["context_s"] = settings.context_s
        self._look_s = self._tidy_s = 0.0

    def do(self, now_s: float) -> None:
        """Take what was made, remove what has to go, begin to make what is wanted."""
        try:
            self._do(now_s, patient=True)
        except (NotReadyError, OSError) as error:
            _log.warning("evidence waits", reason=str(error))
            self._look_s = now_s + _AGAIN_S

    def finish(self, stop: Event, meanwhile: Callable[[float], object]) -> None:
        """Make what can be made now, until a signal: no more sound is waited for.

        `meanwhile` is called again and again with how long it may take, in seconds.
        """
        with suppress(NotReadyError, OSError):
            while not stop.is_set():
                self._look_s = self._tidy_s = 0.0
                self._do(time.monotonic(), patient=False)
                if not self._work.busy:
                    return
                meanwhile(_SLICE_S)

    def _do(self, now_s: float, *, patient: bool) -> None:
        if self._work.busy:
            self._take(self._work.results(now_s), now_s)
        if self._work.busy or now_s < self._look_s:
            return
        self._look_s = now_s + _LOOK_S
        free = shutil.disk_usage(self._store).free
        jobs: list[Job] = []
        if now_s >= self._tidy_s or free < self._limits.min_free_bytes:
            self._tidy(free)
            jobs = self._over(now_s, patient=patient)
            self._tidy_s = now_s + _TIDY_S
            free = shutil.disk_usage(self._store).free
        if free < self._limits.min_free_bytes:
            jobs = []
        jobs += self._wanted(makeable(free, self._limits.min_free_bytes), now_s, patient=patient)
        if jobs:
            self._jobs = jobs
            self._work.start(jobs, now_s)

    def _over(self, now_s: float, *, patient: bool) -> list[Job]:
        """Return the days of scores to write now, as jobs."""
        days = self._days.due(patient=patient)
        ready = [day for day in days if self._is_due(("day", str(day)), now_s)]
        return [{"kind": "day", "day": day} for day in ready]

    def _wanted(self, may: Sequence[Kind], now_s: float, *, patient: bool) -> list[Job]:
        """Return the evidence to make now, as jobs."""
        on: Mapping[Kind, bool] = {
            "clip": self._settings.clips,
            "picture": self._settings.pictures,
        }
        kinds = [kind for kind in may if on[kind]]
        self._again_s = {key: at_s for key, at_s in self._again_s.items() if at_s > now_s}
        wanted = self._rows.wanted(kinds, _AT_ONCE + len(self._again_s)) if kinds else []
        pending = {piece.event["id"] for piece in wanted}
        self._seen_s = {key: at_s for key, at_s in self._seen_s.items() if key in pending}
        newest_us = self._ledger.newest_scored_us or 0
        ready = [
            piece
            for piece in wanted
            if self._is_due((piece.event["id"], piece.kind), now_s)
            and (not patient or self._is_there(piece, newest_us, now_s))
        ]
        return [{"kind": piece.kind, "event": piece.event} for piece in ready[:_AT_ONCE]]

    def _is_due(self, key: tuple[str, str], now_s: float) -> bool:
        return self._again_s.get(key, now_s) <= now_s

    def _is_there(self, piece: Wanted, newest_us: int, now_s: float) -> bool:
        """Say whether the sound after an event was heard, or has been waited for long enough."""
        _, end = wanted_span(piece.event, self._settings.context_s)
        seen_s = self._seen_s.setdefault(piece.event["id"], now_s)
        return newest_us >= to_us(end) or now_s - seen_s >= _PATIENCE_S

    def _take(self, done: list[dict[str, Any]] | None, now_s: float) -> None:
        """Keep what became of the jobs."""
        if done is None:
            return
        results = []
        for job, found in zip(self._jobs, done, strict=False):
            if job["kind"] == "day":
                self._take_day(job["day"], found, now_s)
            else:
                results.append(Result(job["event"]["id"], job["kind"], **found))
        self._rows.take(results, time.time())
        for result in results:
            self._tell(result, now_s)
        if full := [result for result in results if result.outcome == "full"]:
            _log.warning("evidence waits", pieces=len(full), reason=full[0].reason)

    def _take_day(self, day: int, found: Mapping[str, Any], now_s: float) -> None:
        if found["outcome"] == "made":
            self._days.written(day, found["rows"])
        else:
            self._again_s["day", str(day)] = now_s + _AGAIN_S
            _log.warning("scores of a day not written", day=day, reason=found["reason"])

    def _tell(self, result: Result, now_s: float) -> None:
        if result.outcome in ("failed", "full"):
            self._again_s[result.event_id, result.kind] = now_s + _AGAIN_S
        if result.outcome == "full":
            return
        self._metrics.evidence.labels(result.kind, result.outcome).inc()
        if result.outcome != "made":
            _log.warning(
                "no evidence",
                event_id=result.event_id,
                kind=result.kind,
                outcome=result.outcome,
                reason=result.reason,
            )

    def _tidy(self, free: int) -> None:
        """Remove what is over age, over size, or in the way of events."""
        ruling = rule(self._rows.kept(), free, self._limits)
        for piece in ruling.remove:
            path = evidence_path(piece.event_id, self._rows.begin_of(piece.event_id), piece.kind)
            (self._store / path).unlink(missing_ok=True)
            self._metrics.evidence.labels(piece.kind, "removed").inc()
        if ruling.remove:
            self._rows.forget(ruling.remove)
            _log.info("evidence removed", pieces=len(ruling.remove), free_bytes=free)
        self._days.drop_old()


@contextmanager
def open_evidence(
    config: Config, ledger: Ledger, metrics: Metrics, *, rate_hz: float
) -> Iterator[EvidenceChore]:
    """Give the chore of a configuration; what it is at is left at the end."""
    store, settings = config.store.path, config.evidence
    work = Work(
        {
            "store": str(store.absolute()),
            "drop": str(config.drop.path.absolute()),
            "station": config.station.name,
            "rate_hz": rate_hz,
        }
    )
    chore = EvidenceChore(store, settings, ledger=ledger, work=work, metrics=metrics)
    try:
        yield chore
    finally:
        work.stop()
