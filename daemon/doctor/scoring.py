"""Checks of what scores: the model of the station, and a known sound scored by the known one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from daemon.doctor.finding import Told
from daemon.models.golden import load_registered
from daemon.models.registry import Registry
from daemon.options import Config

_SEED: Final = 3
_MINUTES: Final = 2.0
_RATE_PER_HOUR: Final = 1.0
_WANTED: Final[Mapping[str, float]] = {"score": 142.57, "low_hz": 26.4, "high_hz": 67.4}
NEAR_NATS: Final = 0.5
"""How far the known score may lie off.  The known sound is `simulate_drop` of that seed: what
a library may change of it, another order of its sums and no more, moves the score by 0.001;
another noise, filter or network moves it by tens."""
_NEAR_HZ: Final = 6.0  # half a band


def check_model(config: Config) -> Told:
    """Find whether the model that scores is whole and scores as when it was registered."""
    rate = config.detector.false_alarms_per_hour
    champion = Registry(config.store.path).current()
    if champion is not None:
        folder = Registry(config.store.path).folder(champion)
        scorer = load_registered(folder, false_alarms_per_hour=rate)
        words = "champion of the store; its hash and golden scores are right"
    else:
        from detector import load_model

        scorer = load_model(config.detector.model, false_alarms_per_hour=rate)
        words = "detector.model; its hash is right"
    yield "ok", f"{scorer.model}, threshold {scorer.threshold:.1f} nats: {words}", ""


def check_score() -> Told:
    """Score a known sound with the model that comes along, and compare."""
    yield judged(_loudest())


def judged(found: Mapping[str, Any] | None) -> tuple[Any, str, str]:
    """Return what is to be said of the loudest event of the known sound (pure)."""
    wanted = f"score {_WANTED['score']:.2f} within {NEAR_NATS:g}, {_band(_WANTED)} Hz"
    do = "reinstall kilokai and its libraries; check the memory"
    if found is None:
        return "fail", f"found no event in the known sound, wanted {wanted}", do
    told = f"score {found['score']:.2f}, {_band(found)} Hz"
    near = abs(found["score"] - _WANTED["score"]) <= NEAR_NATS
    if near and all(abs(found[key] - _WANTED[key]) <= _NEAR_HZ for key in ("low_hz", "high_hz")):
        return "ok", f"the known event is found: {told}", ""
    return "fail", f"found {told} in the known sound, wanted {wanted}", do


def _band(event: Mapping[str, Any]) -> str:
    return f"{event['low_hz']:.0f} to {event['high_hz']:.0f}"


def _loudest() -> Mapping[str, Any] | None:
    """Return the event of the highest score in the known sound."""
    from acoio.simulate import simulate_drop
    from daemon.hearing.batch import recordings, score_files
    from detector import PRETRAINED, load_model
    from detector.scoring.listen import Listener

    scorer = load_model(PRETRAINED, false_alarms_per_hour=_RATE_PER_HOUR)
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kilokai-doctor-") as folder:
        list(simulate_drop(Path(folder), seed=_SEED, minutes=_MINUTES))
        found = score_files(
            recordings([Path(folder)], band="BB"),
            Listener(scorer, station="doctor"),
            scorer.features.rate_hz,
            told=faults.append,
        )
    events = found.events.values()
    return max(events, key=lambda event: float(event["score"]), default=None)
