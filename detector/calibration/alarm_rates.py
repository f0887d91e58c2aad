"""Scores of typical sound → the threshold for so many false alarms an hour.

False alarms are counted as the daemon would raise them: windows above the release
are joined into events, and an event whose peak reaches the threshold is one alarm.
On plain arrays, so that any score can be measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from acoio.errors import DataError
from detector.events import JOIN

_Floats: TypeAlias = NDArray[np.float64]
_Bools: TypeAlias = NDArray[np.bool_]

RATES_PER_HOUR: Final = (0.1, 1.0, 10.0)
_CONFIDENCE: Final = 0.95
FEWEST_ALARMS: Final = 10  # a rate is told only where this many false alarms were heard
_RELEASE_QUANTILES: Final = (0.99, 0.98, 0.95, 0.9, 0.8)
"""Of typical scores: the daemon's (`detector.calibration.calibrate`), then lower ones.

A score that moves slowly joins so much that too few events lie above the first.
"""


class TooLittleSoundError(DataError):
    """There is less typical sound than what is asked of it wants."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """Scores (n,) of windows of unbroken sound, which begin at `begins_s` (n,), rising."""

    begins_s: _Floats
    scores: _Floats

    def __post_init__(self) -> None:
        """Raise `DataError` if times and scores do not fit each other."""
        if self.begins_s.ndim != 1 or self.begins_s.shape != self.scores.shape:
            raise DataError(
                f"stretch: found begins {self.begins_s.shape} and scores {self.scores.shape}, "
                "wanted both (n,)"
            )
        if not len(self.scores) or not np.isfinite([self.begins_s, self.scores]).all():
            raise DataError("stretch: found none or not finite, wanted finite times and scores")
        if len(self.begins_s) > 1 and (least_s := float(np.diff(self.begins_s).min())) <= 0:
            raise DataError(f"stretch: found a step of {least_s:g} s, wanted begins that rise")

    def hours(self, window_s: float) -> float:
        """Return the hours of sound in it."""
        return float(self.begins_s[-1] - self.begins_s[0] + window_s) / 3600


@dataclass(frozen=True, slots=True)
class AlarmThreshold:
    """The threshold that gave `alarms` in `hours` of typical sound, joined above `release`."""

    rate_per_hour: float
    threshold: float
    release: float
    alarms: int
    hours: float


def stretches(begins_s: _Floats, scores: _Floats, *, step_s: float) -> list[Stretch]:
    """Return windows as unbroken stretches, cut where over one and a half steps are missing."""
    whole = Stretch(begins_s, scores)
    cuts = np.flatnonzero(np.diff(whole.begins_s) > 1.5 * step_s) + 1
    pieces = zip(np.split(begins_s, cuts), np.split(scores, cuts), strict=True)
    return [Stretch(begins, values) for begins, values in pieces]


def alarm_peaks(stretch: Stretch, release: float, *, window_s: float) -> _Floats:
    """Return the highest score of each run of windows that would be one event, (events,)."""
    begins_us = np.rint(stretch.begins_s * 1e6).astype(np.int64)
    return event_peaks(begins_us, begins_us + round(window_s * 1e6), stretch.scores, release)


def event_peaks(
    begins_us: NDArray[np.int64], ends_us: NDArray[np.int64], scores: _Floats, release: float
) -> _Floats:
    """Return the highest score of each event of windows in order, 3 × (n,) → (events,).

    Whole microseconds, as everywhere: a window that begins as another ends is joined.
    """
    return np.array(
        [scores[event].max() for event in events_of(begins_us, ends_us, scores, release)]
    )


def events_of(
    begins_us: NDArray[np.int64], ends_us: NDArray[np.int64], scores: _Floats, release: float
) -> list[NDArray[np.intp]]:
    """Return which windows, in order, make up each event, 3 × (n,) → (m,) each."""
    above = np.flatnonzero(scores >= release)
    if not len(above):
        return []
    reach_us = ends_us[above][:-1] + round(JOIN.total_seconds() * 1e6)
    return np.split(above, np.flatnonzero(begins_us[above][1:] > reach_us) + 1)


def alarms_allowed(rate_per_hour: float, hours: float) -> int:
    """Return how many alarms a rate makes in hours of sound; rounding loses none of 0.1 * 100."""
    return int(rate_per_hour * hours + 1e-9)


def rate_interval(alarms: int, hours: float) -> tuple[float, float]:
    """Return the 95 % interval of the rate an hour of alarms that do not depend on each other.

    Source: Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936.
    """
    tail = (1 - _CONFIDENCE) / 2
    low = float(chi2.ppf(tail, 2 * alarms)) / 2 / hours if alarms else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * alarms + 2)) / 2 / hours


def threshold_between(peaks: _Floats, allowed: int) -> float:
    """Return what at most `allowed` of the falling peaks reach: midway, or just above a tie."""
    below = float(peaks[allowed])
    higher = peaks[peaks > below]
    midway = float(higher.min() + below) / 2 if len(higher) else below
    return max(midway, float(np.nextafter(below, np.inf)))


def threshold_at_rate(
    typical: Sequence[Stretch], *, window_s: float, rate_per_hour: float
) -> AlarmThreshold:
    """Return the threshold at which typical sound raises at most so many alarms an hour.

    Equal peaks are all kept below it, so a score that saturates has fewer alarms.

    Raises
    ------
    TooLittleSoundError
        If the rate makes under ten alarms in all, or fewer events than alarms are heard.
    DataError
        If the window or the rate is not above 0, or there are no stretches.
    """
    if not (window_s > 0 and rate_per_hour > 0 and typical):
        raise DataError(
            f"alarms: found {len(typical)} stretches of {window_s:g} s windows and a rate of "
            f"{rate_per_hour:g} an hour, wanted all above 0"
        )
    hours = sum(stretch.hours(window_s) for stretch in typical)
    allowed = alarms_allowed(rate_per_hour, hours)
    if allowed < FEWEST_ALARMS:
        raise TooLittleSoundError(
            f"alarms: found {hours:.2f} hours of typical sound, wanted "
            f"{FEWEST_ALARMS / rate_per_hour:g} for {rate_per_hour:g} an hour"
        )
    release, peaks = _peaks(typical, allowed, window_s)
    threshold = threshold_between(peaks, allowed)
    alarms = int(np.count_nonzero(peaks >= threshold))
    return AlarmThreshold(rate_per_hour, threshold, release, alarms, hours)


def call_groups(labels: Mapping[str, NDArray[Any]]) -> dict[str, _Bools]:
    """Return sets of calls by name: "all", and "label=value" for each value of each label (m,)."""
    if not labels:
        raise DataError("groups: found no labels, wanted one or more")
    groups = {"all": np.ones(len(next(iter(labels.values()))), np.bool_)}
    for name, values in labels.items():
        groups |= {f"{name}={value}": np.asarray(values == value) for value in np.unique(values)}
    return groups


def _peaks(
    typical: Sequence[Stretch], allowed: int, window_s: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the highest release that leaves more events than are allowed, and their peaks."""
    scores = np.concatenate([stretch.scores for stretch in typical])
    most = 0
    for release in np.quantile(scores, _RELEASE_QUANTILES).tolist():
        peaks = np.concatenate([alarm_peaks(s, release, window_s=window_s) for s in typical])
        if len(peaks) > allowed:
            return release, np.sort(peaks)[::-1]
        most = max(most, len(peaks))
    raise TooLittleSoundError(
        f"alarms: found {most} separate peaks in typical sound, wanted over {allowed}"
    )
