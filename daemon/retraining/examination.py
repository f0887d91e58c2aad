"""The hydrophone is examined before anything is learnt: the levels of the newest evenings.

One that dies floods the evenings with alarms until too few of them are typical, so what
ails it must be told before they are chosen.  Levels do not depend on a model; they are
compared with those of the calibrations of models that are of this station.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from acoio.coverage import Coverage
from acoio.dead import DEAD
from acoio.sound import Gap
from daemon.retraining.alive import Health, ailments, health_of, missing_sound, summed
from daemon.retraining.recent import newest_of
from detector.calibration.drift import Reference
from detector.calibration.tally import Floats, Tally, tally_of_levels
from detector.config import FeatureSettings
from detector.training.choose import Choice, day_of, evening_hours, hour_of, is_typical_hour
from detector.training.recordings import windows_of

_ALL_YEAR: Final = tuple(range(1, 13))
_FEWEST_WINDOWS: Final = 600  # of ten minutes; of fewer, a passing ship would be a change


@dataclass(frozen=True, eq=False)
class Evenings:
    """The newest evenings: `heard` counts their levels by the local day.

    `missing` is which share of the time had no sound before the newest days, and in them;
    `dead` how many windows would have begun while the channel was dead, by the local day.
    """

    heard: Mapping[date, Tally]
    missing: tuple[float, float]
    edges_hz: Floats
    dead: Mapping[date, float] = field(default_factory=dict)

    def compared(self, before: Mapping[str, Reference | None]) -> dict[str, Health]:
        """Return how they compare with what each model was calibrated on, where that is known."""
        spans = self._spans()
        return {
            f"in the {span}, re the {name}'s": self._health(reference, days)
            for name, reference in before.items()
            if reference
            for span, days in spans.items()
        }

    @property
    def unexamined(self) -> str:
        """Why there is nothing to compare with, where `compared` has nothing."""
        if self._spans():
            return "no model was calibrated by it yet"
        return "too little of any evening in the newest days"

    def _health(self, reference: Reference, days: Sequence[date]) -> Health:
        nothing = Tally(np.zeros(1, np.int64), np.zeros_like(reference.heard.levels))
        now = summed([self.heard.get(day, nothing) for day in days])
        dead = sum(self.dead.get(day, 0.0) for day in days)
        silent = dead / (dead + now.windows)
        return health_of(reference.heard, now, self.edges_hz, silent=silent)

    def _spans(self) -> dict[str, list[date]]:
        """Return the days of each span, of those with enough of an evening, alive or dead."""
        days = sorted({*self.heard, *self.dead})
        enough = [day for day in days if self._windows(day) >= _FEWEST_WINDOWS]
        return {"newest days": enough, "newest day": enough[-1:]} if enough else {}

    def _windows(self, day: date) -> float:
        heard = self.heard.get(day)
        return (heard.windows if heard else 0) + self.dead.get(day, 0.0)


def hear_evenings(
    coverage: Coverage, choice: Choice, *, features: FeatureSettings, newest: timedelta
) -> Generator[str, None, Evenings]:
    """Yield how far it is, and return the evenings of the newest days.

    A hydrophone may die in any month.
    """
    zone, choice = ZoneInfo(choice.timezone), replace(choice, months=_ALL_YEAR)
    files = newest_of(coverage, newest)
    heard: dict[date, Tally] = {}
    dead: defaultdict[date, float] = defaultdict(float)

    def count_dead(gap: Gap) -> None:
        begin = hour_of(gap.begin, zone)
        if gap.reason.startswith(DEAD) and is_typical_hour(begin, choice):
            dead[day_of(begin, choice).date()] += gap.seconds / features.step_s

    yield f"examining the hydrophone by the evenings of {len(files)} files"
    evening = [file.path for _, hour in evening_hours(files, choice) for file in hour]
    for windows in windows_of(evening, features, at_gap=count_dead):
        for begin, group in groupby(windows, key=lambda window: hour_of(window.begin, zone)):
            if is_typical_hour(begin, choice):
                day, counts = day_of(begin, choice).date(), tally_of_levels(list(group))
                heard[day] = heard[day] + counts if day in heard else counts
    return Evenings(heard, _missing(coverage, newest), features.band_edges_hz, dead)


def reasons_of(health: Mapping[str, Health], missing: tuple[float, float]) -> tuple[str, ...]:
    """Return in words what says that the hydrophone, or what is behind it, is failing."""
    ill = (reason for when, found in health.items() for reason in ailments(found, when))
    return (*ill, *missing_sound(*missing))


def _missing(coverage: Coverage, newest: timedelta) -> tuple[float, float]:
    """Return which share of the time has no sound, before the newest days and in them.

    Before the first sound there was no station yet, or it is in the drop no more.  Where
    all days are the newest ones, nothing says what it was before.
    """
    heard = [file.begin for file in coverage.files if file.begin and file.seconds > 0]
    begin = max(coverage.begin, min(heard, default=coverage.begin))
    since = max(coverage.end - newest, begin)
    edges = (begin, since, coverage.end) if since > begin else (since, coverage.end)
    seconds = coverage.seconds_in(edges).tolist()
    shares = [
        1 - heard_s / (end - begin).total_seconds()
        for heard_s, begin, end in zip(seconds, edges[:-1], edges[1:], strict=True)
    ]
    return shares[0], shares[-1]
