"""All rivals, each with the settings worth a trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from detector.rivals.autoencoders import PlainAutoEncoder, PlainVae
from detector.rivals.base import Rival
from detector.rivals.density import GmmPca, IsolationForest, OneClassSvm, PcaError
from detector.rivals.levels import LevelLargest, LevelOver, LevelTop
from detector.rivals.neighbours import KnnPca, LofPca
from detector.rivals.power_law import GeneralisedPowerLaw
from detector.rivals.trivial import Ink, Loudness, Peakedness

_ALL: Final[tuple[tuple[Rival, ...], ...]] = (
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


def families() -> Mapping[str, tuple[Rival, ...]]:
    """Return the settings of each rival by its name, the trivial first."""
    return {variants[0].name: variants for variants in _ALL}


def settings(rival: Rival) -> dict[str, Any]:
    """Return a rival's name, input and settings, as plain values for a table or JSON."""
    chosen = {field.name: getattr(rival, field.name) for field in fields(rival)}
    return {"name": rival.name, "reads": rival.reads, **chosen}
