"""Sound and windows of recordings, by the same stages as in the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from acoio.clock import ClockRepair
from acoio.dead import Channel
from acoio.errors import DataError
from acoio.filename import parse_filename
from acoio.join import Joiner
from acoio.reader import read_chunks
from acoio.sound import Gap, Sound
from detector.config import FeatureSettings
from detector.features.windows import RollingFeatures
from detector.values import Window


def sounds(files: Iterable[Path], rate_hz: float) -> Iterator[Sound | Gap]:
    """Yield what recordings hold, in order, as the detector hears it.

    Raises
    ------
    DataError
        If one is of another rate, or its clock is, or it holds no record.
    NotReadyError
        If one cannot be read.
    """
    clock, joiner, channel = ClockRepair(rate_hz), Joiner(rate_hz), Channel()
    for path in files:
        if (found := parse_filename(path).rate_hz) != rate_hz:
            raise DataError(f"{path}: found {found:g} Hz, wanted the model's {rate_hz:g} Hz")
        records = 0
        for chunk in read_chunks(path, rate_hz=rate_hz):
            records += len(chunk.records)
            for piece in joiner.push(clock.push(chunk.records), path.name):
                yield from (piece,) if isinstance(piece, Gap) else channel.push(piece)
        if not records:
            raise DataError(f"{path}: found no record, wanted a recording")


def windows_of(
    files: Iterable[Path],
    features: FeatureSettings,
    *,
    at_gap: Callable[[Gap], None] | None = None,
) -> Iterator[list[Window]]:
    """Yield the windows of files in order of time, chunk by chunk; raises as `sounds`.

    The first minute, and that after each gap, only fills the memory.  Gaps go to `at_gap`.
    """
    rolling = RollingFeatures(features)
    for piece in sounds(files, features.rate_hz):
        if isinstance(piece, Gap):
            rolling.reset()
            if at_gap:
                at_gap(piece)
        else:
            yield rolling.push(piece)
