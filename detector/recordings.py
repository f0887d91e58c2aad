"""Windows of recordings: files of an archive through the same stages as in the daemon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from acoio.clock import ClockRepair
from acoio.join import Joiner
from acoio.reader import read_chunks
from acoio.sound import Gap
from detector.config import FeatureSettings
from detector.features import RollingFeatures
from detector.values import Window


def windows_of(files: Sequence[Path], features: FeatureSettings) -> Iterator[list[Window]]:
    """Yield the windows of files in order of time, chunk by chunk.

    The first minute, and that after each gap, only fills the memory.

    Raises
    ------
    NotReadyError, DataError
        If a file cannot be read.
    """
    clock, joiner = ClockRepair(features.rate_hz), Joiner(features.rate_hz)
    rolling = RollingFeatures(features)
    for path in files:
        for chunk in read_chunks(path, rate_hz=features.rate_hz):
            for piece in joiner.push(clock.push(chunk.records), path.name):
                if isinstance(piece, Gap):
                    rolling.reset()
                else:
                    yield rolling.push(piece)
