"""Tasks C and D: real minutes, and real calls mixed into simulated and real background.

Everything hears the same windows: the pretrained model, a model of the same sound trained
by the method as published, parts of the first by themselves, and every baseline, fitted to
simulated typical sound that nothing here is tested on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from benchmarks.baselines import Baseline, families, settings
from benchmarks.baselines.base import Fitted, Floats
from detector import PRETRAINED
from detector.evaluation import data, recorded
from detector.evaluation.labels import read_clip_labels, read_labels
from detector.evaluation.levels import levels
from detector.evaluation.measures import Measures, measure
from detector.evaluation.values import Piece, Scored, ScoreWindows, scored_by
from detector.features.normalise import Normalisation
from detector.networks.losses import sparse_excess
from detector.networks.methods import Discriminating
from detector.scoring.checkpoint import is_model, read_model
from detector.scoring.score import Model
from detector.training.data import levels_of
from detector.training.ocean import TYPICAL, simulate, simulator, stretches
from detector.training.recipe import train_ocean
from detector.values import Window

SEED: Final = 1
TYPICAL_HOURS: Final = 11.0  # ten alarms at one an hour, and some that fill the memory
MIXED_HOURS: Final = 2.0
FITTED_HOURS: Final = 2.8  # 10,000 windows, as many as baselines are fitted to
_FITTED_SEED: Final = 900  # of no training and no evaluation
_PER_HOUR: Final = (1.0, 10.0)


@dataclass(frozen=True)
class Row:
    """What a score is worth: on the labelled minutes, and on clips in both backgrounds."""

    name: str
    settings: Mapping[str, Any]
    minutes: Measures
    simulated: Measures
    mixed: Measures


@dataclass(frozen=True, eq=False)
class _Heard:
    """The pieces that are heard, by each score under its name."""

    typical: list[dict[str, Scored]]
    minutes: list[dict[str, Scored]]
    simulated: list[dict[str, Scored]]
    mixed: list[dict[str, Scored]]


def rows(folder: Path, parts: Path, *, jobs: int) -> list[Row]:
    """Return a row for each score; of a baseline's settings those that find most.

    `folder` holds aco/ and calls/; `parts` keeps the model of the published method.
    """
    torch.set_num_threads(1)
    model, published = read_model(PRETRAINED), _published(parts, jobs)
    baselines = _fitted(model, jobs)
    scores = _own(model, published) | {
        name: partial(_baseline_scores, baseline, fitted, model.normalisation)
        for name, (baseline, fitted) in baselines.items()
    }
    heard = _hear(folder, model, scores, jobs)
    told = {name: settings(baselines[name][0]) if name in baselines else {} for name in scores}
    every = [_row(name, told[name], heard) for name in scores]
    networks = [row for row in every if row.name not in baselines]
    return networks + [_best(x, every) for x in families()]


def _published(parts: Path, jobs: int) -> Model:
    folder = parts / "published"
    if not is_model(folder):
        for line in train_ocean(folder, seed=SEED, hours=4.0, jobs=jobs, method="published"):
            print(line, flush=True)
    return read_model(folder)


def _fitted(model: Model, jobs: int) -> dict[str, tuple[Baseline, Fitted]]:
    with simulator(jobs) as pool:
        wanted = stretches(_FITTED_SEED, FITTED_HOURS, TYPICAL, model.features)
        heard = levels_of(windows for windows, _ in simulate(pool, wanted))
    inputs = {
        "excess_db": heard.excess_db.astype(np.float32),
        "normalised": model.normalisation.of(heard).astype(np.float32),
    }
    return {
        f"{name}, {k}": (baseline, baseline.fit(inputs[baseline.reads], seed=SEED))
        for name, variants in families().items()
        for k, baseline in enumerate(variants)
    }


def _own(model: Model, published: Model) -> dict[str, ScoreWindows]:
    network = model.network
    return {
        "**gumiho, ratio**": _of(model, lambda x: network.evidence(x).sum(1)),
        "gumiho, as published": _of(published, lambda x: published.network.evidence(x).sum(1)),
        "part of the first: mixture tail": _of(model, partial(_surprise, network)),
        "part of the first: few loud places": _of(model, lambda x: sparse_excess(x).sum(1)),
    }


def _surprise(network: Discriminating, x: Tensor) -> Tensor:
    likelihood: Tensor = network.mixture(network.encode(x)[0])
    return -likelihood


def _of(model: Model, network: Callable[[Tensor], Tensor]) -> ScoreWindows:
    def score(windows: Sequence[Window]) -> Floats:
        with torch.inference_mode():
            x = torch.from_numpy(model.normalisation(windows))
            return np.asarray(network(x).double().numpy())

    return score


def _baseline_scores(
    baseline: Baseline, fitted: Fitted, normalisation: Normalisation, windows: Sequence[Window]
) -> Floats:
    if baseline.reads == "normalised":
        return fitted.score(normalisation(windows))
    return fitted.score(np.stack([window.excess_db for window in windows]))


def _hear(folder: Path, model: Model, scores: Mapping[str, ScoreWindows], jobs: int) -> _Heard:
    features = model.features
    labels = read_labels(folder / "aco" / "labels.csv")
    files = sorted((folder / "aco").rglob("*.HYD*"))
    named = read_clip_labels(folder / "calls" / "labels.csv")
    range_hz = (features.low_hz, features.high_hz)
    clips, _ = recorded.read_clips(folder / "calls", named, range_hz)
    backgrounds = recorded.backgrounds(files, labels, features)
    passes = recorded.with_clips(backgrounds, clips, features, seed=SEED)
    mixed = data.Simulated(features, MIXED_HOURS, SEED, jobs)
    typical = data.Simulated(features, TYPICAL_HOURS, SEED, jobs)
    return _Heard(
        minutes=_scored([recorded.labelled(files, labels, features)], "minutes", scores),
        mixed=_scored((x for each in passes for x in each), "clips in the minutes", scores),
        simulated=_scored(data.with_clips(mixed, clips), "clips in simulated sea", scores),
        typical=_scored(data.typical(typical), "typical hours", scores),
    )


def _scored(
    pieces: Iterable[Piece], what: str, scores: Mapping[str, ScoreWindows]
) -> list[dict[str, Scored]]:
    found = []
    for piece in pieces:
        found.append(scored_by(piece, scores))
        print(f"{what}: {len(found)}", flush=True)
    return found


def _row(name: str, chosen: Mapping[str, Any], heard: _Heard) -> Row:
    typical = [found[name] for found in heard.typical]
    at = levels(typical, step_s=1.0, seed=SEED, rates=_PER_HOUR)
    minutes, simulated, mixed = (
        measure([found[name] for found in pieces], at, seed=SEED)
        for pieces in (heard.minutes, heard.simulated, heard.mixed)
    )
    return Row(name, chosen, minutes, simulated, mixed)


def _best(name: str, every: Sequence[Row]) -> Row:
    """Return the settings of a baseline that find most clips at one false alarm an hour."""
    mine = [row for row in every if row.name.startswith(f"{name}, ")]
    best = max(mine, key=lambda x: (found_in(x.simulated) + found_in(x.mixed), auc_of(x.minutes)))
    return Row(name, best.settings, best.minutes, best.simulated, best.mixed)


def found_in(measures: Measures) -> float:
    """Return the share of all calls found at one false alarm an hour."""
    share = measures.groups[0].found[0]
    return share.value if share else 0.0


def auc_of(measures: Measures) -> float:
    """Return the area of all calls, or 0 where there is none."""
    area = measures.groups[0].auc
    return area.value if area else 0.0
