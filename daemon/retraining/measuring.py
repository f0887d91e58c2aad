"""Measures a candidate beside the champion: all that the gate looks at."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from acoio import ACOio
from acoio.errors import DataError, SetupError
from daemon.retraining.alive import Health
from daemon.retraining.examination import Evenings
from daemon.retraining.figures import Figures
from daemon.retraining.first import of_the_hydrophone
from daemon.retraining.hours import Hours
from daemon.retraining.known import Known
from daemon.retraining.reference import Heard, hear
from daemon.retraining.trials import (
    Pair,
    Trial,
    confirmed,
    injected,
    repeats,
    seconds_a_window,
)
from detector.calibration.alarm_rates import TooLittleSoundError
from detector.calibration.calibrate import calibrate
from detector.calibration.drift import drift
from detector.scoring.checkpoint import load_model
from detector.scoring.score import Model, Scorer
from detector.training.sources import ChosenHours
from detector.values import Window


@dataclass(frozen=True, eq=False)
class Contest:
    """The champion, and the sound that a candidate is made of and measured on beside it.

    `health` is what the examination of the `evenings` found already, `first` the station's
    first model, if it is known, and `since` when the hydrophone was last changed.
    """

    champion: Model
    rate_per_hour: float
    archive: ACOio
    hours: Hours
    source: ChosenHours
    known: Known
    evenings: Evenings
    health: Mapping[str, Health]
    seed: int
    first: Model | None = None
    since: datetime | None = None


def measured(contest: Contest, folder: Path) -> Generator[str, None, Figures]:
    """Yield how it goes, and return the figures of the candidate in a folder.

    Raises
    ------
    DataError
        If a score is no finite number.
    """
    left = yield from _still_there(contest)
    rate = contest.rate_per_hour
    champion = Scorer(contest.champion, false_alarms_per_hour=rate)
    candidate, again = (load_model(folder, false_alarms_per_hour=rate) for _ in range(2))
    yield f"both models hear the newest {len(contest.hours.newest)} files"
    old, new = yield from hear(contest.hours, (champion, candidate))
    yield "both models hear simulated calls in typical sound"
    fair = _at_promise(left, champion)
    if fair is None:
        yield "the champion keeps the promise at no threshold, and is compared as it is"
    before = (champion, *_first(contest))
    trial = Trial(fair or champion, candidate, before)
    pairs: list[Pair] = []
    for found in injected(left.hours, trial, seed=contest.seed):
        pairs += found
    yield f"both models hear {len(contest.known.confirmed)} confirmed calls"
    known = list(confirmed(contest.archive, contest.known.confirmed, trial))
    windows = _some_windows(left)
    since = contest.since
    champion_s, candidate_s = seconds_a_window((champion, candidate), windows)
    return Figures(
        promised_per_hour=rate,
        thresholds={
            "candidate": candidate.threshold,
            "champion": champion.threshold,
            "champion at the promise": trial.champion.threshold,
        },
        champion_alarms=old.alarms,
        candidate_alarms=new.alarms,
        injected=pairs,
        confirmed=known,
        seconds=(champion_s, candidate_s),
        repeats=repeats((candidate, again), windows),
        missing=contest.evenings.missing,
        health={**contest.health, **contest.evenings.compared({"candidate": candidate.reference})},
        score_drift=(_drift(champion, old, since), _drift(candidate, new, since)),
    )


def _still_there(contest: Contest) -> Generator[str, None, Contest]:
    """Return a contest on the hours of which no file has gone while the candidate was made."""
    chosen = contest.hours.chosen
    left = tuple(hour for hour in chosen.calibration if all(file.path.exists() for file in hour))
    if gone := len(chosen.calibration) - len(left):
        yield f"{gone} hours of the calibration are there no more"
    chosen = replace(chosen, calibration=left)
    hours, source = replace(contest.hours, chosen=chosen), replace(contest.source, chosen=chosen)
    return replace(contest, hours=hours, source=source)


def _at_promise(contest: Contest, champion: Scorer) -> Scorer | None:
    """Return the champion at the threshold that keeps the promise on the candidate's sound.

    What it finds by too many false alarms is no merit, nor is it a fault to raise too few.
    None if no threshold does, as where its scores never fall.  It may have learnt some of
    that sound, which is then in its favour.
    """
    scores = [champion.score(windows) for windows in contest.source.calibration()]
    with suppress(DataError, SetupError):
        calibration = calibrate(scores, contest.source.judged)
        calibrated = replace(contest.champion, calibration=calibration)
        return Scorer(calibrated, false_alarms_per_hour=contest.rate_per_hour)
    return None


def _first(contest: Contest) -> Iterator[Scorer]:
    """Yield the station's first model, if it can promise the rate."""
    if contest.first:
        with suppress(SetupError):  # it was calibrated for other rates
            yield Scorer(contest.first, false_alarms_per_hour=contest.rate_per_hour)


def _some_windows(contest: Contest) -> list[Window]:
    for windows in contest.source.calibration():
        if windows:
            return windows
    raise TooLittleSoundError("calibration: found no window, wanted some to score again")


def _drift(scorer: Scorer, heard: Heard, since: datetime | None) -> float | None:
    """Return how far typical scores are from a calibration, over the 99 % point."""
    if not (scorer.reference and heard.typical and of_the_hydrophone(scorer.card, since)):
        return None
    found = drift(scorer.reference, heard.typical)
    return found.score.ratio if found else None
