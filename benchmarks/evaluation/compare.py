"""Every contestant over its settings and seeds, measured alike.

All settings run at the first seed; the best there, *by the windows tested*, runs at the
others.  That favours whoever has several settings, which the rivals have and gumiho
has not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from benchmarks.evaluation import kept
from benchmarks.evaluation.registry import task_of
from benchmarks.evaluation.task import Contestant, Entry, Settings, Split, Target, Task
from detector.metrics import Estimate, bootstrap, partial_auc, roc_auc
from detector.rivals.base import Floats

FIRST_SEED = 1
DRAWS = 200  # of the bootstrap


@dataclass(frozen=True)
class Where:
    """Where the data lie, and where finished parts are kept."""

    data: Path
    parts: Path


@dataclass(frozen=True)
class Measured:
    """One contestant's entry at one seed."""

    seed: int
    auc: Estimate
    pauc: Estimate
    seconds: float


@dataclass(frozen=True)
class Tried:
    """One of several settings, at the first seed."""

    settings: Settings
    auc: float


@dataclass(frozen=True)
class Result:
    """A contestant at its best settings, over seeds."""

    name: str
    settings: Settings
    target: Target
    tried: Sequence[Tried]
    seeds: Sequence[Measured]


def compare(task: Task, where: Where, *, seeds: int, pool: Executor) -> Iterator[Result]:
    """Yield each contestant's result, in order; finished parts are not run again."""
    all_seeds = range(FIRST_SEED, FIRST_SEED + seeds)
    first = {
        contestant.name: [
            pool.submit(found_auc, where, task.key, contestant.name, k, FIRST_SEED)
            for k in range(len(contestant.entries))
        ]
        for contestant in task.contestants
    }
    running = {}
    for contestant in task.contestants:
        aucs = [future.result() for future in first[contestant.name]]
        best = best_of(aucs)
        running[contestant.name] = (
            aucs,
            best,
            [
                pool.submit(measured, where, task.key, contestant.name, best, seed)
                for seed in all_seeds[: contestant.most_seeds]
            ],
        )
    for contestant in task.contestants:
        aucs, best, futures = running[contestant.name]
        yield _result(contestant, aucs, best, [future.result() for future in futures])


def best_of(aucs: Sequence[float]) -> int:
    """Return which of several settings was best; of equals, the first."""
    return int(np.argmax(aucs))


def found_auc(where: Where, task_key: str, name: str, entry: int, seed: int) -> float:
    """Return the AUC of one entry at one seed."""
    split = _split(where.data, task_key, seed)
    scores, _ = _scores(where, task_key, name, entry, seed)
    return roc_auc(scores, split.atypical)


def measured(where: Where, task_key: str, name: str, entry: int, seed: int) -> Measured:
    """Return the measures of one entry at one seed, with intervals."""
    path = _part(where, task_key, name, entry, seed).path(where.parts)
    if found := kept.read_measures(path):
        return Measured(seed, Estimate(**found["auc"]), Estimate(**found["pauc"]), found["seconds"])
    split = _split(where.data, task_key, seed)
    scores, seconds = _scores(where, task_key, name, entry, seed)
    auc, pauc = (
        bootstrap(measure, scores, split.atypical, seed=seed, blocks=split.blocks, draws=DRAWS)
        for measure in (roc_auc, partial_auc)
    )
    kept.keep_measures(path, {"auc": _plain(auc), "pauc": _plain(pauc), "seconds": seconds})
    return Measured(seed, auc, pauc, seconds)


def quiet_threads() -> None:
    """Let a worker have one core and no slow numbers; both change nothing but the time."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def _scores(where: Where, task_key: str, name: str, entry: int, seed: int) -> tuple[Floats, float]:
    path = _part(where, task_key, name, entry, seed).path(where.parts)
    if found := kept.read_scores(path):
        return found
    split = _split(where.data, task_key, seed)
    begin_s = time.perf_counter()
    scores = _entry(where.data, task_key, name, entry).scores(split, seed)
    seconds = time.perf_counter() - begin_s
    kept.keep_scores(path, scores, seconds)
    return scores, seconds


def _part(where: Where, task_key: str, name: str, entry: int, seed: int) -> kept.Part:
    settings = _entry(where.data, task_key, name, entry).settings
    return kept.Part(task_key, name, kept.told(settings), seed)


def _entry(data: Path, task_key: str, name: str, entry: int) -> Entry:
    task = task_of(task_key, data)
    return next(c for c in task.contestants if c.name == name).entries[entry]


@lru_cache(maxsize=2)
def _split(data: Path, task_key: str, seed: int) -> Split:
    return task_of(task_key, data).split(seed)


def _result(
    contestant: Contestant, aucs: Sequence[float], best: int, seeds: Sequence[Measured]
) -> Result:
    tried = [
        Tried(entry.settings, auc) for entry, auc in zip(contestant.entries, aucs, strict=True)
    ]
    return Result(contestant.name, tried[best].settings, contestant.target, tried, seeds)


def _plain(estimate: Estimate) -> Mapping[str, float]:
    return {name: getattr(estimate, name) for name in ("value", "low", "high", "confidence")}
