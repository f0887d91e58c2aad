"""Thresholds for promised rates of false alarms, of sound without calls or of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acoio.errors import SetupError
from detector.calibration.alarm_rates import (
    RATES_PER_HOUR,
    Stretch,
    TooLittleSoundError,
    alarm_peaks,
    threshold_at_rate,
)
from detector.evaluation.curves import DRAWS
from detector.evaluation.values import Scored

_Floats: TypeAlias = NDArray[np.float64]
_FEWEST_PIECES: Final = 5  # to be drawn again
_CURVE_PER_HOUR: Final = np.geomspace(0.1, 60.0, 40)


@dataclass(frozen=True, eq=False)
class Level:
    """The threshold for a rate of false alarms, or why there is none.

    `drawn` (draws,) are thresholds of sound drawn again, empty where it is fixed.
    """

    rate_per_hour: float
    threshold: float | None = None
    why: str = ""
    alarms: int | None = None
    hours: float | None = None
    drawn: _Floats = field(default_factory=lambda: np.empty(0))


def levels(
    typical: Sequence[Scored],
    *,
    step_s: float,
    seed: int | None,
    rates: Sequence[float] = RATES_PER_HOUR,
) -> list[Level]:
    """Return the thresholds at which sound without calls gives these rates of false alarms.

    Without a seed no sound is drawn again.
    """
    window_s = max(scored.window_s for scored in typical)
    pieces = [scored.stretches(step_s=step_s) for scored in typical]
    whole = [stretch for stretches in pieces for stretch in stretches]
    return [_level(whole, rate, window_s=window_s, seed=seed) for rate in rates]


def own_levels(
    threshold: Callable[[float], float], *, rates: Sequence[float] = RATES_PER_HOUR
) -> list[Level]:
    """Return a model's own thresholds, as `threshold` gives them for a rate or refuses to."""
    found: list[Level] = []
    for rate in rates:
        try:
            found.append(Level(rate, threshold(rate)))
        except SetupError as error:
            found.append(Level(rate, why=str(error)))
    return found


def alarm_curve(typical: Sequence[Scored], *, step_s: float) -> tuple[_Floats, _Floats]:
    """Return rates per hour that sound without calls can tell, and their thresholds, 2 x (m,)."""
    found = levels(typical, step_s=step_s, seed=None, rates=_CURVE_PER_HOUR.tolist())
    told = [(one.rate_per_hour, one.threshold) for one in found if one.threshold is not None]
    rates, thresholds = np.array(told, np.float64).reshape(-1, 2).T
    return rates, thresholds


def _level(whole: Sequence[Stretch], rate: float, *, window_s: float, seed: int | None) -> Level:
    try:
        at = threshold_at_rate(whole, window_s=window_s, rate_per_hour=rate)
    except TooLittleSoundError as error:
        return Level(rate, why=str(error))
    drawn = np.empty(0)
    if seed is not None and len(whole) >= _FEWEST_PIECES:
        peaks = [alarm_peaks(s, at.release, window_s=window_s) for s in whole]
        hours = np.array([s.hours(window_s) for s in whole])
        drawn = _drawn(peaks, hours, rate, at.release, seed=seed)
    return Level(rate, at.threshold, "", at.alarms, at.hours, drawn)


def _drawn(
    peaks: Sequence[_Floats], hours: _Floats, rate: float, release: float, *, seed: int
) -> _Floats:
    """Return the thresholds of as much sound, its stretches drawn with replacement.

    Where those drawn have no peak at all, the threshold is where peaks begin.
    """
    rng = np.random.default_rng(seed)
    found = np.empty(DRAWS)
    for k in range(DRAWS):
        chosen = rng.integers(len(peaks), size=len(peaks))
        falling = np.sort(np.concatenate([peaks[i] for i in chosen]))[::-1]
        allowed = min(round(rate * float(hours[chosen].sum())), len(falling) - 1)
        some = len(falling) > 0
        found[k] = (falling[max(allowed - 1, 0)] + falling[allowed]) / 2 if some else release
    return found
