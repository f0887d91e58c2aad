"""Runs an evaluation: each source in turn, then the files that tell of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from acoio.clock import from_us
from acoio.errors import DataError, unusable
from acoio.output import write_output
from daemon import __version__
from detector.config import FeatureSettings
from detector.evaluation import data, recorded
from detector.evaluation.by_event import measure_events
from detector.evaluation.labels import Label, read_clip_labels, read_labels
from detector.evaluation.levels import Level, alarm_curve, levels, own_levels
from detector.evaluation.measures import measure
from detector.evaluation.pictures import Shown, draw_roc, draw_scores
from detector.evaluation.remarks import remarks
from detector.evaluation.report import Evaluation, Source, as_json, markdown
from detector.evaluation.values import EventScorer, Piece, Scored, heard
from detector.training.clips import Clip

_T = TypeVar("_T")
_SHOWN_FAULTS: Final = 5


class Model(EventScorer, Protocol):
    """What is evaluated: `detector.scoring.score.Scorer`, as far as it is used here."""

    features: FeatureSettings
    model: str
    threshold: float
    card: dict[str, Any]


class Bar(Protocol):
    """What shows how far long work is: `daemon.show.with_bar`."""

    def __call__(self, items: Iterable[_T], what: str, total: float) -> Iterator[_T]: ...


@dataclass(frozen=True)
class Wanted:
    """What to evaluate on; each source is left out where it is None."""

    out: Path
    seed: int
    jobs: int
    simulated_hours: float | None
    typical_hours: float
    background_hours: float
    recordings: tuple[Path, ...] = ()
    labels: Path | None = None
    clips: Path | None = None
    clip_labels: Path | None = None

    def settings(self) -> dict[str, Any]:
        """Return what decides the figures, without the paths of this machine."""
        told: dict[str, Any] = {"seed": self.seed}
        if self.simulated_hours or self.clips:
            told["typical_hours"] = self.typical_hours
        if self.simulated_hours:
            told["simulated_hours"] = self.simulated_hours
        if self.recordings:
            told["recordings"] = len(self.recordings)
        if self.clips:
            told["background_hours"] = self.background_hours
        return told


@dataclass
class _Run:
    """What is known so far."""

    model: Model
    wanted: Wanted
    bar: Bar
    sources: list[Source] = field(default_factory=list)
    shown: dict[str, Shown] = field(default_factory=dict)
    typical: list[Scored] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    alarms: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def scored(self, pieces: Iterable[Piece], what: str, total: int) -> list[Scored]:
        return [heard(piece, self.model) for piece in self.bar(pieces, what, total)]

    def simulated(self, hours: float) -> data.Simulated:
        return data.Simulated(self.model.features, hours, self.wanted.seed, self.wanted.jobs)

    def add(
        self,
        name: str,
        about: str,
        pieces: Sequence[Scored],
        *,
        at: Sequence[Level],
        typical: Sequence[Scored] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        """Measure a source; `typical` are the pieces that lend it windows without calls."""
        measures = measure([*typical, *pieces], at, seed=self.wanted.seed)
        events = measure_events(pieces, threshold=self.model.threshold)
        self.sources.append(Source(name, about, measures, events, tuple(remarks)))
        self.shown[name] = Shown(measures, self.alarms if at is self.levels else None)


def evaluate(
    model: Model, wanted: Wanted, *, threshold: Callable[[float], float], bar: Bar
) -> Evaluation:
    """Evaluate a model, write what is found into `wanted.out`, and return it.

    `threshold` gives the model's own for a rate of false alarms, or raises `SetupError`.

    Raises
    ------
    SetupError
        If the folder cannot be written.
    DataError, NotReadyError
        If what was named cannot be read, or holds no call that can be scored.
    """
    try:
        wanted.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(str(wanted.out), error) from error
    labels = read_labels(wanted.labels) if wanted.labels else []
    clips, faults = _clips(model, wanted)
    run = _Run(model, wanted, bar)
    if wanted.recordings:
        _labelled(run, labels, own_levels(threshold))  # first, since it is soon known to fail
    if wanted.simulated_hours or clips:
        _typical(run)
    if wanted.simulated_hours:
        _simulated(run, wanted.simulated_hours)
    if clips:
        _mixed(run, clips)
        if wanted.recordings:
            _mixed_into_recordings(run, clips, labels)
    draw_roc(wanted.out / "roc.png", run.shown)
    found = Evaluation(_model(model), wanted.settings(), _versions(), tuple(run.sources), faults)
    write_output(
        wanted.out / "evaluation.json", (json.dumps(as_json(found), indent=2) + "\n").encode()
    )
    write_output(wanted.out / "evaluation.md", markdown(found).encode())
    return found


def _typical(run: _Run) -> None:
    wanted = run.simulated(run.wanted.typical_hours)
    total = math.ceil(wanted.hours)
    run.typical = run.scored(data.typical(wanted), "sound without calls", total)
    step_s = wanted.features.step_s
    run.levels = levels(run.typical, step_s=step_s, seed=run.wanted.seed)
    run.alarms = alarm_curve(run.typical, step_s=step_s)


def _simulated(run: _Run, hours: float) -> None:
    pieces = run.scored(data.with_calls(run.simulated(hours)), "calls", math.ceil(hours))
    about = f"{hours:g} h of simulated ocean with calls, {run.wanted.typical_hours:g} h without"
    run.add("simulated", about, pieces, at=run.levels, typical=run.typical)
    title = "simulated ocean: scores over time"
    draw_scores(run.wanted.out / "scores-simulated.png", pieces[0], run.levels, title)


def _labelled(run: _Run, labels: Sequence[Label], at: Sequence[Level]) -> None:
    files = run.bar(run.wanted.recordings, "recordings", len(run.wanted.recordings))
    scored = heard(recorded.labelled(files, labels, run.model.features), run.model)
    if not scored.calls():
        raise DataError(
            f"{run.wanted.labels}: found {len(scored.piece.calls)} calls and none of them where "
            f"recordings were scored, {from_us(int(scored.begins_us[0])):%F %T} to "
            f"{from_us(int(scored.ends_us[-1])):%F %T} UTC"
        )
    about = f"recordings, {scored.hours():.2f} h of them scored, at the model's own thresholds"
    run.add("labelled", about, [scored], at=at, remarks=tuple(remarks(scored, labels)))
    title = "recordings: scores over time"
    draw_scores(run.wanted.out / "scores-labelled.png", scored, at, title)


def _mixed(run: _Run, clips: Sequence[Clip]) -> None:
    wanted = run.simulated(run.wanted.background_hours)
    pieces = run.scored(data.with_clips(wanted, clips), "clips", math.ceil(2 * wanted.hours))
    about = f"{len(clips)} real calls mixed into {wanted.hours:g} h of simulated ocean"
    run.add("clips", about, pieces, at=run.levels)


def _mixed_into_recordings(run: _Run, clips: Sequence[Clip], labels: Sequence[Label]) -> None:
    features = run.model.features
    found = recorded.backgrounds(run.wanted.recordings, labels, features)
    passes = recorded.with_clips(found, clips, features, seed=run.wanted.seed)
    if not passes:
        return
    pieces = run.scored(
        (piece for each in passes for piece in each),
        "clips in recordings",
        len(passes) * len(found),
    )
    seconds = sum((end - begin).total_seconds() for _, (begin, end) in found)
    about = (
        f"{len(clips)} real calls mixed into {seconds:.0f} s of recorded background, heard "
        f"{len(passes)} times; thresholds of simulated sound without calls"
    )
    run.add("clips in recordings", about, pieces, at=run.levels)


def _clips(model: Model, wanted: Wanted) -> tuple[list[Clip], tuple[str, ...]]:
    if wanted.clips is None or wanted.clip_labels is None:
        return [], ()
    range_hz = (model.features.low_hz, model.features.high_hz)
    named = read_clip_labels(wanted.clip_labels)
    clips, faults = recorded.read_clips(wanted.clips, named, range_hz)
    more = len(faults) - _SHOWN_FAULTS
    told = [f"left out: {fault}" for fault in faults[:_SHOWN_FAULTS]]
    return clips, (*told, f"left out: {more} more clips") if more > 0 else tuple(told)


def _model(model: Model) -> Mapping[str, Any]:
    return {
        "id": model.model,
        "sha256": model.card.get("sha256"),
        "threshold": model.threshold,
    }


def _versions() -> dict[str, str]:
    return {"kilokai": __version__} | {
        name: metadata.version(name) for name in ("numpy", "scipy", "torch")
    }
