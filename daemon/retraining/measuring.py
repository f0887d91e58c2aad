"""Measures a candidate beside the champion: all that the gate looks at."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from acoio import ACOio
from acoio.coverage import Coverage
from daemon.retraining.acceptance import Figures
from daemon.retraining.alive import Health, health_of, summed
from daemon.retraining.first import of_a_station
from daemon.retraining.hours import Hours
from daemon.retraining.known import Known
from daemon.retraining.reference import Heard, hear
from daemon.retraining.trials import Pair, confirmed, injected, repeats, seconds_a_window
from detector.calibrate import calibrate
from detector.checkpoint import load_model
from detector.drift import Reference, drift
from detector.metrics import wilson
from detector.recordings import windows_of
from detector.score import Model, Scorer
from detector.sources import ChosenHours
from detector.tally import Tally
from detector.values import Window

_MOSTLY: Final = 0.5
_FEWEST_WINDOWS: Final = 600  # of ten minutes; of fewer, a passing ship would be a change


@dataclass(frozen=True, eq=False)
class Contest:
    """The champion, the folder of the candidate, and the sound that they are measured on.

    `first` is what the station sounded like at first, if that is known.
    """

    champion: Model
    folder: Path
    rate_per_hour: float
    archive: ACOio
    coverage: Coverage
    hours: Hours
    source: ChosenHours
    known: Known
    newest: timedelta
    seed: int
    first: Reference | None = None


def measured(contest: Contest) -> Generator[str, None, Figures]:
    """Yield how it goes, and return the figures.

    Raises
    ------
    DataError
        If a score is no finite number.
    """
    rate = contest.rate_per_hour
    champion = Scorer(contest.champion, false_alarms_per_hour=rate)
    candidate, again = (load_model(contest.folder, false_alarms_per_hour=rate) for _ in range(2))
    yield f"both models hear the newest {len(contest.hours.newest)} files"
    old, new = yield from hear(contest.hours, (champion, candidate))
    yield "both models hear simulated calls in typical sound"
    fair = _at_promise(contest, champion)
    pairs: list[Pair] = []
    for found in injected(contest.hours, (fair, candidate), seed=contest.seed):
        pairs += found
    yield f"both models hear {len(contest.known.confirmed)} confirmed calls"
    known = list(confirmed(contest.archive, contest.known.confirmed, (fair, candidate)))
    windows = _some_windows(contest)
    champion_s, candidate_s = seconds_a_window((champion, candidate), windows)
    return Figures(
        promised_per_hour=rate,
        champion_alarms=old.alarms,
        candidate_alarms=new.alarms,
        injected=pairs,
        confirmed=known,
        seconds=(champion_s, candidate_s),
        repeats=repeats((candidate, again), windows),
        missing=_missing(contest),
        health=compared(champion, candidate, contest.first, new),
        score_drift=(_drift(champion, old), _drift(candidate, new)),
    )


def _at_promise(contest: Contest, champion: Scorer) -> Scorer:
    """Return the champion as it is compared on calls.

    At its own threshold; but where people said that most of its events are none, at the one
    that would keep its promise: what it finds by too many false alarms is no merit.
    """
    said = len(contest.known.confirmed) + contest.known.rejected
    if not said or wilson(contest.known.rejected, said).low <= _MOSTLY:
        return champion
    scores = [champion.score(windows) for windows in contest.source.calibration()]
    calibrated = replace(contest.champion, calibration=calibrate(scores))
    fair = Scorer(calibrated, false_alarms_per_hour=contest.rate_per_hour)
    return fair if fair.threshold > champion.threshold else champion


def _some_windows(contest: Contest) -> list[Window]:
    hour = contest.hours.chosen.calibration[-1]
    paths = [file.path for file in hour[:1]]
    features = contest.champion.features
    return [window for windows in windows_of(paths, features) for window in windows]


def _missing(contest: Contest) -> tuple[float, float]:
    """Return which share of the time has no sound, before the newest days and in them.

    Where all days are the newest ones, nothing says what it was before.
    """
    cover = contest.coverage
    since = max(cover.end - contest.newest, cover.begin)
    edges = (cover.begin, since, cover.end) if since > cover.begin else (since, cover.end)
    seconds = cover.seconds_in(edges).tolist()
    shares = [
        1 - heard_s / (end - begin).total_seconds()
        for heard_s, begin, end in zip(seconds, edges[:-1], edges[1:], strict=True)
    ]
    return shares[0], shares[-1]


def compared(
    champion: Scorer, candidate: Scorer, first: Reference | None, heard: Heard
) -> dict[str, Health]:
    """Return how the newest evenings compare with what each model was calibrated on.

    With the champion's only if that was this station's sound; and with the station's first
    one's: of a slow death, all later ones have learnt a part.
    """
    spans = _spans(heard.evenings)
    befores = {"candidate": candidate.reference, "station's first model": first}
    if of_a_station(champion.card):
        befores["champion"] = champion.reference
    return {
        f"in the {span}, re the {name}'s": health_of(before.heard, now)
        for name, before in befores.items()
        if before
        for span, now in spans.items()
        if now.windows >= _FEWEST_WINDOWS
    }


def _spans(evenings: dict[date, Tally]) -> dict[str, Tally]:
    if not evenings:
        return {}
    newest = evenings[max(evenings)]
    return {"newest days": summed(list(evenings.values())), "newest day": newest}


def _drift(scorer: Scorer, heard: Heard) -> float | None:
    """Return how far typical scores are from a calibration, over the 99 % point."""
    if not (scorer.reference and heard.typical and of_a_station(scorer.card)):
        return None
    found = drift(scorer.reference, heard.typical)
    return found.score.ratio if found else None
