"""Where a model's sound comes from: a simulated ocean, or hours chosen from an archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

from acoio.simulate import OceanSettings
from detector.choose import Choice, Chosen, Hour
from detector.config import FeatureSettings
from detector.ocean import TYPICAL, VARIOUS, simulate, stretches
from detector.recordings import windows_of
from detector.values import Window

Windows: TypeAlias = Iterator[list[Window]]
"""Windows of unbroken stretches, one stretch after the other."""

Span: TypeAlias = tuple[datetime, datetime]

_VARIOUS_SHARE: Final = 0.75
_CALIBRATION_SHARE: Final = 2.5  # ten alarms at one an hour want ten hours, twice is better


class Source(Protocol):
    """Sound of each kind, the same each time it is asked for."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What the model's card says of the sound, as JSON values."""
        ...

    def typical(self) -> Windows:
        """Yield typical windows to learn from."""
        ...

    def various(self) -> Windows:
        """Yield windows of all sound."""
        ...

    def calibration(self) -> Windows:
        """Yield other typical windows, whose scores set the threshold."""
        ...


@dataclass(frozen=True)
class SimulatedOcean:
    """A simulated ocean: `hours` of typical sound, and as much of the others as that wants."""

    seed: int
    hours: float
    features: FeatureSettings
    pool: ProcessPoolExecutor

    @property
    def about(self) -> Mapping[str, Any]:
        """Seed and hours."""
        return {"simulated_hours": self.hours, "seed": self.seed}

    def typical(self) -> Windows:
        """Yield windows without calls or gear."""
        return self._windows(1, self.hours, TYPICAL)

    def various(self) -> Windows:
        """Yield windows of which half hold a call."""
        return self._windows(2, _VARIOUS_SHARE * self.hours, VARIOUS)

    def calibration(self) -> Windows:
        """Yield other windows without calls or gear."""
        return self._windows(3, _CALIBRATION_SHARE * self.hours, TYPICAL)

    def _windows(self, part: int, hours: float, ocean: OceanSettings) -> Windows:
        wanted = stretches(10 * self.seed + part, hours, ocean, self.features)
        return (windows for windows, _ in simulate(self.pool, wanted))


@dataclass(frozen=True, eq=False)
class ChosenHours:
    """Hours of an archive; of typical ones, windows within a confirmed call are left out."""

    chosen: Chosen
    choice: Choice
    features: FeatureSettings
    calls: Sequence[Span] = ()

    @property
    def about(self) -> Mapping[str, Any]:
        """How the hours were chosen, and their files."""
        kinds = ("typical", "various", "calibration")
        files = {
            kind: [file.path.name for hour in getattr(self.chosen, kind) for file in hour]
            for kind in kinds
        }
        return {"choice": asdict(self.choice), "files": files, "calls_left_out": len(self.calls)}

    def typical(self) -> Windows:
        """Yield windows of typical hours without what is known to be a call."""
        return self._without_calls(self.chosen.typical)

    def various(self) -> Windows:
        """Yield windows of various hours, calls and all."""
        return (self._windows(hour) for hour in self.chosen.various)

    def calibration(self) -> Windows:
        """Yield windows of other typical hours without what is known to be a call."""
        return self._without_calls(self.chosen.calibration)

    def _without_calls(self, hours: Sequence[Hour]) -> Windows:
        for hour in hours:
            yield [window for window in self._windows(hour) if not self._is_call(window)]

    def _is_call(self, window: Window) -> bool:
        return any(begin < window.end and window.begin < end for begin, end in self.calls)

    def _windows(self, hour: Hour) -> list[Window]:
        pieces = windows_of([file.path for file in hour], self.features)
        return [window for piece in pieces for window in piece]
