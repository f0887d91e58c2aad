"""How many alarms an hour were achieved (pure): events by the hours of sound they were found in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from detector.calibration.alarm_rates import rate_interval

SPANS: Final = {"day": 24, "week": 168}
"""Hours with sound, the newest ones."""

_FEWEST_HOURS: Final = 1.0  # of sound: of less, no rate is told


@dataclass(frozen=True, slots=True)
class Heard:
    """What an hour of the clock had: windows scored, and alarms that began."""

    windows: int
    alarms: int


@dataclass(frozen=True, slots=True)
class Achieved:
    """Alarms in so many hours of sound, and the 95 % interval of their rate an hour.

    The interval assumes that alarms do not depend on each other; real ones come in
    groups, and then it is too narrow.
    """

    hours: float
    alarms: int
    low: float
    high: float

    @property
    def per_hour(self) -> float:
        """Alarms for each hour of sound."""
        return self.alarms / self.hours

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"per_hour": self.per_hour}


def may_be_false(judgement: str | None) -> bool:
    """Say whether an event counts, by the last verdict on it: only a confirmed one does not."""
    return judgement != "confirmed"


def achieved(heard: Sequence[Heard], *, step_s: float) -> Achieved | None:
    """Return the rate of alarms in hours whose windows begin `step_s` apart, if there is enough."""
    hours = sum(hour.windows for hour in heard) * step_s / 3600
    if hours < _FEWEST_HOURS:
        return None
    alarms = sum(hour.alarms for hour in heard)
    return Achieved(hours, alarms, *rate_interval(alarms, hours))
