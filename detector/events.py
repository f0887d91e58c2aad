"""Scores → events: two thresholds, joined, with begin, peak, end, band and level."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import NOMINAL_RATE_HZ, from_us, to_us
from detector.values import Event, Score

JOIN: Final = timedelta(0)
"""Windows over the release threshold belong to one event if the next begins before the last ends.

Windows of 2 s begin every second, so one window below the threshold does not break an event.
"""

_BAND_SHARE: Final = 0.25  # an event's band reaches over all that gave this much of the strongest
_WEIGHTIEST: Final = 20.0  # nats above release: louder windows say no more of the band
_CLEAR: Final = 50.0  # nats above the threshold: a call at about 0 dB; louder is no clearer
_MODERATE_S, _MAJOR_S = 4.0, 8.0  # clear seconds; noises of the gear have 4 at most
SEVERITIES: Final = ("minor", "moderate", "major")
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class EventSettings:
    """What makes an event.

    One begins at `threshold` and goes on above `release`; `band_edges_hz` (F + 1)
    are the edges of the bands that scores are made of.
    """

    station: str
    model: str
    threshold: float
    release: float
    band_edges_hz: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """Windows over the release threshold so far: plain values, so that it can be stored."""

    begin_us: int
    end_us: int
    peak_us: int
    windows: int
    total: float
    score: float
    contribution: tuple[float, ...]
    peak_band: int
    level_db: float
    clear_s: float
    file: str
    sample: int
    opened: bool


class EventTracker:
    """Turns scores into events.

    A stage with memory: `push` scores in order and get each event when it
    begins ("open") and again when it has ended ("closed").  `state` is all that
    it remembers, as plain JSON values; a tracker made from it goes on as if
    nothing had happened.
    """

    def __init__(self, settings: EventSettings, state: Mapping[str, Any] | None = None) -> None:
        self._settings = settings
        self._run = _run_from(state) if state else None

    @property
    def state(self) -> dict[str, Any]:
        """What the tracker remembers, as JSON values; empty between events."""
        return asdict(self._run) if self._run else {}

    def push(self, scores: Iterable[Score]) -> Iterator[Event]:
        """Yield the events that begin and end within these scores."""
        for score in scores:
            if self._run and to_us(score.begin) > self._run.end_us + JOIN // _MICROSECOND:
                yield from self.flush()
            if score.score >= self._settings.release:
                self._run = _grown(self._run, score, self._settings.release)
                if not self._run.opened and score.score >= score.threshold:
                    self._run = replace(self._run, opened=True)
                    yield _event(self._run, self._settings, "open")

    def flush(self) -> Iterator[Event]:
        """Yield the event that was open, closed: the sound has ended here."""
        if self._run and self._run.opened:
            yield _event(self._run, self._settings, "closed")
        self._run = None


def _grown(run: _Run | None, score: Score, release: float) -> _Run:
    contribution, strongest = _weighed(score, release), int(np.argmax(score.contribution))
    louder = run is None or score.score > run.score
    if run is None:
        total, before = score.score, np.zeros_like(contribution)
    else:
        total, before = run.total + score.score, np.asarray(run.contribution)
    return _Run(
        begin_us=to_us(score.begin) if run is None else run.begin_us,
        end_us=to_us(score.end),
        peak_us=to_us(_middle(score)) if louder or run is None else run.peak_us,
        windows=1 if run is None else run.windows + 1,
        total=total,
        score=score.score if louder or run is None else run.score,
        contribution=tuple((before + contribution).tolist()),
        peak_band=strongest if louder or run is None else run.peak_band,
        level_db=float(score.level_db[strongest]) if louder or run is None else run.level_db,
        clear_s=(0.0 if run is None else run.clear_s) + _clear_share(score),
        file=score.file if run is None else run.file,
        sample=score.sample if run is None else run.sample,
        opened=run is not None and run.opened,
    )


def _weighed(score: Score, release: float) -> NDArray[np.float64]:
    """Return what each band gave to a window, (F,), adding up to the window's weight.

    A window weighs what it lies above release, but no more than a clear one, so
    that a loud call does not hide the band of a fainter one.
    """
    given = np.maximum(score.contribution, 0).astype(np.float64)
    weight = min(score.score - release, _WEIGHTIEST)
    return given * (weight / max(float(given.sum()), np.finfo(float).tiny))


def _middle(score: Score) -> datetime:
    return score.begin + (score.end - score.begin) / 2


def _run_from(state: Mapping[str, Any]) -> _Run:
    return _Run(**{**state, "contribution": tuple(state["contribution"])})


def _event(run: _Run, settings: EventSettings, status: str) -> Event:
    low, high = _band(np.asarray(run.contribution), run.peak_band)
    edges, peak = settings.band_edges_hz, run.peak_band
    return Event(
        id=event_id(settings.station, settings.model, run.begin_us),
        status=status,
        begin=from_us(run.begin_us),
        peak=from_us(run.peak_us),
        end=from_us(run.end_us),
        score=run.score,
        mean_score=run.total / run.windows,
        threshold=settings.threshold,
        low_hz=edges[low],
        high_hz=edges[high + 1],
        peak_hz=float(np.sqrt(edges[peak] * edges[peak + 1])),
        level_db=run.level_db,
        severity=severity(run.clear_s),
        model=settings.model,
        file=run.file,
        sample=run.sample,
    )


def _band(contribution: NDArray[np.float64], peak: int) -> tuple[int, int]:
    """Return the lowest and the highest band of an event, with that of its peak, `(F,) → k`."""
    strong = np.flatnonzero(contribution >= _BAND_SHARE * contribution.max())
    return min(int(strong[0]), peak), max(int(strong[-1]), peak)


def _clear_share(score: Score) -> float:
    """Return the share of its second for which a window was clearly heard, 0 to 1."""
    return min(max(score.score - score.threshold, 0.0) / _CLEAR, 1.0)


def severity(clear_s: float) -> str:
    """Return "minor", "moderate" or "major", by the clear seconds of an event.

    It never falls as an event goes on, nor would it with louder windows; and however
    loud a short noise is, it stays minor.
    """
    if clear_s < _MODERATE_S:
        return "minor"
    return "moderate" if clear_s < _MAJOR_S else "major"


def event_id(station: str, model: str, begin_us: int) -> str:
    """Return the id of the event that this model hears begin here, 16 hex digits.

    The begin is counted in whole samples of the nominal rate since 1970, so the
    same sound gives the same event however often it is heard.
    """
    sample = begin_us * round(NOMINAL_RATE_HZ) // 1_000_000
    return hashlib.sha256(f"{station}\n{model}\n{sample}".encode()).hexdigest()[:16]
