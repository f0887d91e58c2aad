"""All baselines, each with the settings worth a trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from benchmarks.baselines.autoencoders import PlainAutoEncoder, PlainVae
from benchmarks.baselines.base import Baseline
from benchmarks.baselines.density import GmmPca, IsolationForest, OneClassSvm, PcaError
from benchmarks.baselines.levels import LevelLargest, LevelOver, LevelTop
from benchmarks.baselines.neighbours import KnnPca, LofPca
from benchmarks.baselines.power_law import GeneralisedPowerLaw
from benchmarks.baselines.trivial import Ink, Loudness, Peakedness

_ALL: Final[tuple[tuple[Baseline, ...], ...]] = (
    Ink.variants(),
    Loudness.variants(),
    Peakedness.variants(),
    LevelLargest.variants(),
    LevelTop.variants(),
    LevelOver.variants(),
    GeneralisedPowerLaw.variants(),
    PcaError.variants(),
    GmmPca.variants(),
    IsolationForest.variants(),
    OneClassSvm.variants(),
    KnnPca.variants(),
    LofPca.variants(),
    PlainAutoEncoder.variants(),
    PlainVae.variants(),
)


def families() -> Mapping[str, tuple[Baseline, ...]]:
    """Return the settings of each baseline by its name, the trivial first."""
    return {variants[0].name: variants for variants in _ALL}


def settings(baseline: Baseline) -> dict[str, Any]:
    """Return a baseline's name, input and settings, as plain values for a table or JSON."""
    chosen = {field.name: getattr(baseline, field.name) for field in fields(baseline)}
    return {"name": baseline.name, "reads": baseline.reads, **chosen}
