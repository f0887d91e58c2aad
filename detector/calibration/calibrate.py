"""Scores of typical sound → the threshold that keeps a promised rate of false alarms.

What stands apart from typical sound (`apart`) is no false alarm, unless people said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from acoio.errors import DataError, SetupError
from detector.calibration.alarm_rates import (
    FEWEST_ALARMS,
    alarms_allowed,
    rate_interval,
    threshold_between,
)
from detector.calibration.apart import Judged, Passage, quantile_of, without_apart
from detector.values import Score

RATES_PER_HOUR: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
PROMISED_PER_HOUR: Final = 1.0
"""The rate that a model is loaded at unless another is asked for, so each must promise it."""

_RELEASE_QUANTILE: Final = 0.99  # an event ends where windows are as one in a hundred are


@dataclass(frozen=True, slots=True)
class Point:
    """A threshold, the false alarms per hour it is for, and the 95 % interval of what it gave.

    The interval assumes that alarms do not depend on each other; real ones come in
    groups, as of one ship, and then it is too narrow.
    """

    false_alarms_per_hour: float
    threshold: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was heard in `hours` of typical sound: `release` threshold and curve by rising rate.

    `apart` is how many events stood apart from it, and were not counted.
    """

    hours: float
    release: float
    points: tuple[Point, ...]
    apart: int = 0

    def __post_init__(self) -> None:
        """Raise `SetupError` if there is no point to read a threshold from."""
        if not self.points:
            raise SetupError("calibration: found no points, wanted one or more")

    def threshold(self, false_alarms_per_hour: float) -> float:
        """Return the threshold for a rate, between the points by the logarithm of the rate.

        Raises
        ------
        SetupError
            If the rate lies outside what was calibrated.
        """
        rates = [point.false_alarms_per_hour for point in self.points]
        if not rates[0] <= false_alarms_per_hour <= rates[-1]:
            raise SetupError(
                f"false_alarms_per_hour: found {false_alarms_per_hour:g}, wanted {rates[0]:g} to "
                f"{rates[-1]:g}: the model was calibrated on {self.hours:.1f} hours"
            )
        thresholds = [point.threshold for point in self.points]
        return float(np.interp(np.log(false_alarms_per_hour), np.log(rates), thresholds))

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the model's card; no `apart` if it is 0, as in older ones."""
        values = asdict(self)
        return values if self.apart else {k: v for k, v in values.items() if k != "apart"}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Calibration:
        """Return the calibration of a model's card.

        Raises
        ------
        SetupError
            If no calibration could have made it.
        """
        points = tuple(Point(**point) for point in values["points"])
        apart = int(values.get("apart", 0))
        found = cls(float(values["hours"]), float(values["release"]), points, apart)
        found._require_sense()
        return found

    def _require_sense(self) -> None:
        """Raise `SetupError` unless rates rise, thresholds do not, and events end below them."""
        rates = np.array([point.false_alarms_per_hour for point in self.points])
        falling = np.array([*(point.threshold for point in self.points), self.release])
        rising = rates[0] > 0 and (np.diff(rates) > 0).all()
        if not (rising and np.isfinite([*rates, *falling]).all()):
            raise SetupError(
                f"calibration: found rates {rates.tolist()} and thresholds {falling.tolist()}, "
                "wanted numbers, and rates that rise from 0"
            )
        if (np.diff(falling) > 0).any():
            raise SetupError(
                f"calibration: found thresholds {falling[:-1].tolist()} and a release of "
                f"{self.release:g}, wanted none above the one before"
            )


def calibrate(stretches: Sequence[Sequence[Score]], judged: Judged | None = None) -> Calibration:
    """Return the calibration of typical sound, given as scores of unbroken stretches.

    False alarms are counted as events, after joining, not as windows.  Those that stand
    apart do not count, but for what people `judged` to be nothing, however high.

    Raises
    ------
    DataError
        If there is too little sound to promise any rate.
    """
    heard = [Passage.of(stretch) for stretch in stretches if stretch]
    hours = sum(part.hours for part in heard)
    needed = FEWEST_ALARMS / RATES_PER_HOUR[-1]
    if hours < needed:
        raise DataError(f"calibration: found {hours:.2f} hours, wanted at least {needed:.2f}")
    typical, apart = without_apart(heard, judged or Judged())
    release = quantile_of(typical, _RELEASE_QUANTILE)
    peaks = np.sort([peak for part in typical for _, peak in part.events(release)])[::-1]
    points = (_point(peaks, hours, rate) for rate in RATES_PER_HOUR)
    promised = tuple(point for point in points if point)
    if not promised:
        raise DataError(
            f"calibration: found {len(peaks)} separate peaks in {hours:.2f} hours, wanted over "
            f"{FEWEST_ALARMS}"
        )
    return Calibration(hours, release, promised, apart)


def require_hours(hours: float, *, rate_per_hour: float = PROMISED_PER_HOUR) -> None:
    """Refuse so few hours of calibration that they cannot promise a rate of false alarms.

    Raises
    ------
    SetupError
        If the rate makes under ten alarms in them.
    """
    if alarms_allowed(_tabled(rate_per_hour), hours) < FEWEST_ALARMS:
        raise SetupError(
            f"calibration hours: found {hours:.4g}, wanted at least "
            f"{hours_needed(rate_per_hour):g} to promise {rate_per_hour:g} false alarms an hour"
        )


def hours_needed(rate_per_hour: float) -> float:
    """Return how many hours of calibration promise a rate of false alarms an hour.

    Between two points of a calibration the threshold lies between theirs, so both must be
    promised.
    """
    return FEWEST_ALARMS / _tabled(rate_per_hour)


def _tabled(rate_per_hour: float) -> float:
    """Return the highest rate that a calibration has a point for and that is no higher."""
    return max((r for r in RATES_PER_HOUR if r <= rate_per_hour), default=rate_per_hour)


def _point(peaks: NDArray[np.float64], hours: float, rate: float) -> Point | None:
    allowed = alarms_allowed(rate, hours)
    if not FEWEST_ALARMS <= allowed < len(peaks):
        return None
    threshold = threshold_between(peaks, allowed)
    alarms = int(np.count_nonzero(peaks >= threshold))  # fewer than allowed where peaks are equal
    low, high = rate_interval(alarms, hours)
    return Point(false_alarms_per_hour=rate, threshold=threshold, low=low, high=high)
