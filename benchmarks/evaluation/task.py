"""What is compared: a task has splits of its windows, and contestants that score them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import Baseline, settings
from benchmarks.baselines.base import Floats, Windows

Bools: TypeAlias = NDArray[np.bool_]
Settings: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Split:
    """One seed's windows, each (n, F, T), by the name of an input.

    `atypical` (n,) labels those tested; nothing but the measures reads it.  `blocks`
    (n,) says which of them belong together (of one minute, one call), where any do.
    `material` is what the task's own methods need besides.
    """

    typical: Mapping[str, Windows]
    test: Mapping[str, Windows]
    atypical: Bools
    blocks: NDArray[Any] | None = None
    material: Any = None


@dataclass(frozen=True, eq=False)
class Entry:
    """One choice of settings of a contestant, which scores the windows tested, → (n,)."""

    settings: Settings
    scores: Callable[[Split, int], Floats]


@dataclass(frozen=True)
class Target:
    """What is to be reached; None where nothing was set."""

    auc: float | None = None
    pauc: float | None = None


@dataclass(frozen=True, eq=False)
class Contestant:
    """A way to score windows, with every choice of settings that is tried.

    `most_seeds` spares what takes long and has no target.
    """

    name: str
    entries: Sequence[Entry]
    target: Target = Target()
    most_seeds: int | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """Windows to tell apart.  A split depends on the seed alone."""

    key: str
    title: str
    note: str
    split: Callable[[int], Split]
    contestants: Sequence[Contestant] = field(default_factory=tuple)


def baseline_contestants(
    families: Iterable[Sequence[Baseline]], inputs: Callable[[Baseline], Sequence[str]]
) -> list[Contestant]:
    """Return baselines as contestants, each of its settings on each of the inputs given to it."""
    return [
        Contestant(
            variants[0].name,
            [_baseline_entry(baseline, name) for baseline in variants for name in inputs(baseline)],
        )
        for variants in families
    ]


def _baseline_entry(baseline: Baseline, name: str) -> Entry:
    def scores(split: Split, seed: int) -> Floats:
        return baseline.fit(split.typical[name], seed=seed).score(split.test[name])

    return Entry(settings(baseline) | {"reads": name}, scores)
