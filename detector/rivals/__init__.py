"""Scores that gumiho has to beat, each fitted on the same typical windows.

`families()` gives each with its grid of settings, so that it can run at its best.
"""

from detector.rivals.autoencoders import PlainAutoEncoder, PlainVae
from detector.rivals.base import Fitted, Input, Rival
from detector.rivals.density import GmmPca, IsolationForest, OneClassSvm, PcaError
from detector.rivals.families import families, settings
from detector.rivals.levels import LevelLargest, LevelOver, LevelTop
from detector.rivals.neighbours import KnnPca, LofPca
from detector.rivals.power_law import GeneralisedPowerLaw
from detector.rivals.trivial import Ink, Loudness, Peakedness

__all__ = [
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
    "Rival",
    "families",
    "settings",
]
