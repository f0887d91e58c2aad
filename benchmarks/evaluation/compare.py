"""Every contestant over its settings and seeds, measured alike.

All settings run at the first seed; the best there, *by the windows tested*, runs at the
others.  That favours whoever has several settings, which the baselines have and gumiho
has not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from benchmarks.baselines.base import Floats
from benchmarks.evaluation import kept
from benchmarks.evaluation.areas import bootstrap, partial_auc, roc_auc
from benchmarks.evaluation.registry import task_of
from benchmarks.evaluation.task import Contestant, Entry, Settings, Split, Target, Task
from detector.calibration.intervals import Estimate

_T = TypeVar("_T")

FIRST_SEED = 1
DRAWS = 200  # of the bootstrap


@dataclass(frozen=True)
class Where:
    """Where the data lie, and where finished parts are kept; `only_kept` runs no others."""

    data: Path
    parts: Path
    only_kept: bool = False


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


class UnfinishedError(LookupError):
    """A part that is not kept, where nothing is to be run."""


def compare(task: Task, where: Where, *, seeds: int, pool: Executor) -> Iterator[Result]:
    """Yield each contestant's result, in order; finished parts are not run again.

    The last contestants, which take longest, run first, so that no core waits for them.
    """
    order = task.contestants[::-1]
    first = {c.name: _tried(c, task.key, where, pool) for c in order}
    running = {}
    for c in order:
        aucs = [_outcome(future) for future in first[c.name]]
        best, all_seeds = best_of(aucs), range(FIRST_SEED, FIRST_SEED + seeds)[: c.most_seeds]
        futures = [pool.submit(measured, where, task.key, c.name, best, seed) for seed in all_seeds]
        running[c.name] = aucs, best, futures
    for contestant in task.contestants:
        aucs, best, futures = running[contestant.name]
        finished = [m for m in map(_outcome, futures) if m is not None]
        if finished:
            yield _result(contestant, aucs, best, finished)


def _tried(c: Contestant, task_key: str, where: Where, pool: Executor) -> list[Future[float]]:
    return [
        pool.submit(found_auc, where, task_key, c.name, k, FIRST_SEED)
        for k in range(len(c.entries))
    ]


def _outcome(future: Future[_T]) -> _T | None:
    """Return what was found, or None where that is not finished and nothing is to be run."""
    try:
        return future.result()
    except UnfinishedError:
        return None


def best_of(aucs: Sequence[float | None]) -> int:
    """Return which of several settings was best; of equals, the first.  None is unfinished."""
    return int(np.argmax([-np.inf if auc is None else auc for auc in aucs]))


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
    if where.only_kept:
        raise UnfinishedError(path)
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
    contestant: Contestant, aucs: Sequence[float | None], best: int, seeds: Sequence[Measured]
) -> Result:
    tried = [
        Tried(entry.settings, auc)
        for entry, auc in zip(contestant.entries, aucs, strict=True)
        if auc is not None
    ]
    settings = contestant.entries[best].settings
    return Result(contestant.name, settings, contestant.target, tried, seeds)


def _plain(estimate: Estimate) -> Mapping[str, float]:
    return {name: getattr(estimate, name) for name in ("value", "low", "high", "confidence")}
