"""Where a model's sound comes from: a simulated ocean, or hours chosen from an archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from acoio.clock import record_us
from acoio.coverage import FileCover
from acoio.errors import SetupError
from acoio.simulate import OceanSettings
from detector.calibration.apart import Judged
from detector.config import FeatureSettings
from detector.training.choose import Choice, Chosen, Hour
from detector.training.clips import Clip
from detector.training.injected import windows_with_calls
from detector.training.ocean import TYPICAL, VARIOUS, Stretch, simulate, stretches
from detector.training.recordings import sounds, windows_of
from detector.values import Span, Window, iso

Windows: TypeAlias = Iterator[list[Window]]
"""Windows of unbroken stretches, one stretch after the other."""

_VARIOUS_SHARE: Final = 0.75
_CALIBRATION_SHARE: Final = 2.5  # ten alarms at one an hour want ten hours, twice is better
_CALIBRATION_LEAST_H: Final = 11.0  # of each hour the first minute only fills the memory
_MOST_HOURS: Final = 400.0  # 1000 seeds for each part, an hour each: more would be heard twice
_MISSING_STEPS: Final = 1.5


class Source(Protocol):
    """Sound of each kind, the same each time it is asked for."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What the model's card says of the sound, as JSON values."""
        ...

    @property
    def calibration_hours(self) -> float:
        """How many hours of windows `calibration` will yield, or somewhat more."""
        ...

    def typical(self) -> Windows:
        """Yield typical windows to learn from."""
        ...

    def various(self) -> Windows:
        """Yield windows of all sound."""
        ...

    @property
    def judged(self) -> Judged:
        """What people said of events."""
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

    def __post_init__(self) -> None:
        """Raise `SetupError` if parts would share their seeds."""
        if self.hours > _MOST_HOURS:
            raise SetupError(
                f"simulated hours: found {self.hours:g}, wanted at most {_MOST_HOURS:g}: "
                "with more, some sound would be both calibrated and evaluated on"
            )

    @property
    def about(self) -> Mapping[str, Any]:
        """Seed and hours."""
        return {"simulated_hours": self.hours, "seed": self.seed}

    @property
    def calibration_hours(self) -> float:
        """Hours of windows of other sound."""
        return sum(heard_h(x.hours, self.features) for x in self._calibration())

    @property
    def judged(self) -> Judged:
        """Nothing: nobody listened."""
        return Judged()

    def typical(self) -> Windows:
        """Yield windows without calls or gear."""
        return self._heard(self._part(1, self.hours, TYPICAL))

    def various(self) -> Windows:
        """Yield windows of which half hold a call."""
        return self._heard(self._part(2, _VARIOUS_SHARE * self.hours, VARIOUS))

    def calibration(self) -> Windows:
        """Yield other windows without calls or gear."""
        return self._heard(self._calibration())

    def _calibration(self) -> list[Stretch]:
        hours = max(_CALIBRATION_SHARE * self.hours, _CALIBRATION_LEAST_H)
        return self._part(3, hours, TYPICAL)

    def _part(self, part: int, hours: float, ocean: OceanSettings) -> list[Stretch]:
        return stretches(10 * self.seed + part, hours, ocean, self.features)

    def _heard(self, wanted: Sequence[Stretch]) -> Windows:
        return (windows for windows, _ in simulate(self.pool, wanted))


@dataclass(frozen=True, eq=False)
class ChosenHours:
    """Hours of an archive; of typical ones, windows within a confirmed call are left out.

    Into various ones `clips` are mixed, if there are any: at sea, few hours hold a call.
    """

    chosen: Chosen
    choice: Choice
    features: FeatureSettings
    calls: Sequence[Span] = ()
    clips: Sequence[Clip] = ()
    judged: Judged = field(default_factory=Judged)

    @property
    def about(self) -> Mapping[str, Any]:
        """How the hours were chosen, their files and spans, and how many calls were known."""
        kinds = ("typical", "various", "calibration")
        files = {
            kind: [file for hour in getattr(self.chosen, kind) for file in hour] for kind in kinds
        }
        return {
            "choice": asdict(self.choice),
            "files": {kind: [file.path.name for file in files[kind]] for kind in kinds},
            "spans": {kind: _span(files[kind]) for kind in kinds},
            "known_calls": len(self.calls),
            "rejected_events": len(self.judged.rejected),
            "simulated_calls": len(self.clips),
            "audio_files_left_out": self.chosen.left_out,
        }

    @property
    def calibration_hours(self) -> float:
        """Hours of windows of other typical hours; gaps and calls may take more of them."""
        return sum(
            heard_h(sum(file.seconds for file in hour) / 3600, self.features)
            for hour in self.chosen.calibration
        )

    def typical(self) -> Windows:
        """Yield windows of typical hours without what is known to be a call."""
        return self._without_calls(self.chosen.typical)

    def various(self) -> Windows:
        """Yield windows of various hours, calls and all."""
        for number, hour in enumerate(self.chosen.various):
            windows = self._windows_with_calls(hour, number) if self.clips else self._windows(hour)
            yield from unbroken(windows, self.features.step_s)

    def calibration(self) -> Windows:
        """Yield windows of other typical hours without what is known to be a call."""
        return self._without_calls(self.chosen.calibration)

    def _without_calls(self, hours: Sequence[Hour]) -> Windows:
        for hour in hours:
            kept = (window for window in self._windows(hour) if not self._is_call(window))
            yield from unbroken(kept, self.features.step_s)

    def _is_call(self, window: Window) -> bool:
        return any(begin < window.end and window.begin < end for begin, end in self.calls)

    def _windows(self, hour: Hour) -> Iterator[Window]:
        for piece in windows_of([file.path for file in hour], self.features):
            yield from piece

    def _windows_with_calls(self, hour: Hour, number: int) -> Iterator[Window]:
        pieces = sounds([file.path for file in hour], self.features.rate_hz)
        for windows in windows_with_calls(pieces, self.clips, self.features, seed=number << 16):
            yield from windows


def unbroken(windows: Iterable[Window], step_s: float) -> Windows:
    """Yield windows in order as stretches, cut where over one and a half steps are missing.

    So it is done too in `detector.calibration.alarm_rates.stretches`.
    """
    stretch: list[Window] = []
    for window in windows:
        if stretch and not _follows(stretch[-1], window, step_s):
            yield stretch
            stretch = []
        stretch.append(window)
    if stretch:
        yield stretch


def _follows(last: Window, window: Window, step_s: float) -> bool:
    return 0 < (window.begin - last.begin).total_seconds() <= _MISSING_STEPS * step_s


def heard_h(hours: float, features: FeatureSettings) -> float:
    """Return the hours of windows in hours of unbroken sound, whose first minute gives none."""
    memory_h = (1 + features.past_records) * record_us(features.rate_hz) / 3600e6
    return max(hours - memory_h, 0.0)


def _span(files: Sequence[FileCover]) -> dict[str, Any]:
    """Return from when to when files have sound, and how many hours of it."""
    begins = [file.begin for file in files if file.begin]
    ends = [file.end for file in files if file.end]
    return {
        "begin": iso(min(begins)) if begins else None,
        "end": iso(max(ends)) if ends else None,
        "hours": round(sum(file.seconds for file in files) / 3600, 3),
    }
