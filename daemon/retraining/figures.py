"""What a candidate and the champion came to on the same sound: what the gate looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from daemon.retraining.alive import Health
from daemon.retraining.reference import Alarms
from daemon.retraining.trials import Pair, by_kind


@dataclass(frozen=True, eq=False)
class Figures:
    """What was measured of a candidate and of the champion, on the same sound.

    `thresholds` are those that they score with, as alarms are counted; calls are found at
    the same promise, which the champion may no longer keep.  `seconds` are those of CPU for
    a window, champion's and candidate's; `score_drift` the drift of the candidate's scores
    in the newest evenings from its own calibration, over the 99 % point, and the
    champion's; None where nothing says.
    """

    promised_per_hour: float
    thresholds: Mapping[str, float]
    champion_alarms: Alarms
    candidate_alarms: Alarms
    injected: Sequence[Pair]
    confirmed: Sequence[Pair]
    seconds: tuple[float, float]
    repeats: bool
    missing: tuple[float, float]
    health: Mapping[str, Health] = field(default_factory=dict)
    score_drift: tuple[float | None, float | None] = (None, None)

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the verdict's file."""
        return {
            "promised_per_hour": self.promised_per_hour,
            "thresholds": dict(self.thresholds),
            "alarms": {
                "hours": self.candidate_alarms.hours.round(3).tolist(),
                "champion": self.champion_alarms.counts.tolist(),
                "candidate": self.candidate_alarms.counts.tolist(),
            },
            "injected": {kind: counted(p) for kind, p in _with_all(self.injected).items()},
            "confirmed": counted(self.confirmed),
            "seconds_a_window": list(self.seconds),
            "repeats": self.repeats,
            "missing": list(self.missing),
            "health": told_health(self.health),
            "score_drift": list(self.score_drift),
        }


def told_health(health: Mapping[str, Health]) -> dict[str, dict[str, float]]:
    """Return plain values of how the newest evenings compare."""
    return {when: asdict(found) for when, found in health.items()}


def counted(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return how many calls there were, and how many each model found."""
    return {
        "calls": len(pairs),
        "champion": sum(pair.champion for pair in pairs),
        "candidate": sum(pair.candidate for pair in pairs),
        "before": found_before(pairs),
    }


def found_before(pairs: Sequence[Pair]) -> list[int]:
    """Return how many each of the models found that scored until now."""
    return [sum(found) for found in zip(*(pair.before for pair in pairs), strict=True)]


def _with_all(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    return {"all": list(pairs), **by_kind(pairs)}
