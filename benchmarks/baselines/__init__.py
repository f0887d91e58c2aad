"""Scores that gumiho has to beat, each fitted on the same typical windows.

`families()` gives each with its grid of settings, so that it can run at its best.
"""

from benchmarks.baselines.autoencoders import PlainAutoEncoder, PlainVae
from benchmarks.baselines.base import Baseline, Fitted, Input
from benchmarks.baselines.density import GmmPca, IsolationForest, OneClassSvm, PcaError
from benchmarks.baselines.families import families, settings
from benchmarks.baselines.levels import LevelLargest, LevelOver, LevelTop
from benchmarks.baselines.neighbours import KnnPca, LofPca
from benchmarks.baselines.power_law import GeneralisedPowerLaw
from benchmarks.baselines.trivial import Ink, Loudness, Peakedness

__all__ = [
    "Baseline",
    "Fitted",
    "GeneralisedPowerLaw",
    "GmmPca",
    "Ink",
    "Input",
    "IsolationForest",
    "KnnPca",
    "LevelLargest",
    "LevelOver",
    "LevelTop",
    "LofPca",
    "Loudness",
    "OneClassSvm",
    "PcaError",
    "Peakedness",
    "PlainAutoEncoder",
    "PlainVae",
    "families",
    "settings",
]
