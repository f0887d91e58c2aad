"""Two models on the same calls: simulated ones in the station's sound, and confirmed ones."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import torch

from acoio import ACOio
from acoio.errors import DataError, NotReadyError
from acoio.simulate import Truth
from daemon.retraining.hours import Hours
from detector.evaluation.data import first_scored, mix_into
from detector.evaluation.values import Piece, heard
from detector.scoring.match import match
from detector.scoring.score import Scorer
from detector.training.choose import Hour, of_records
from detector.training.injected import longest_run, simulated_clips
from detector.training.mixing import plan
from detector.training.recordings import sounds, windows_of
from detector.values import Window

BACKGROUNDS: Final = 12
"""A quarter of an hour of each; 400 calls in all, of which a twentieth is 20."""

_FILES: Final = 3  # of an hour: a quarter of it
_CLIPS_EACH: Final = 24  # of a kind
_SEEDS_APART: Final = 1 << 20  # the calls that are learnt from have other seeds
_MOST_CONFIRMED: Final = 100
_BEFORE: Final = timedelta(seconds=15)  # of windows; the memory is filled before
_AFTER: Final = timedelta(seconds=10)
_TIMED: Final = 256  # windows
_TIMES: Final = 7  # others use the machine; the best of some was alone


@dataclass(frozen=True, slots=True)
class Pair:
    """A call, and whether the champion and the candidate found it, in time and band.

    Both as they keep the same promise on the same sound.  `before` says whether those found
    it that have scored until now, at the thresholds that they did so with.
    """

    kind: str
    champion: bool
    candidate: bool
    before: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """The scorers that find the calls of pairs: `before` are the champion and the first model."""

    champion: Scorer
    candidate: Scorer
    before: tuple[Scorer, ...]


def injected(hours: Hours, scorers: Trial, *, seed: int) -> Iterator[list[Pair]]:
    """Yield what both models find of simulated calls, one background after the other.

    The backgrounds are typical sound that the candidate was calibrated on and has not
    learnt from.
    """
    features = scorers.candidate.features
    clips = simulated_clips(_CLIPS_EACH, seed=seed + _SEEDS_APART, features=features)
    lengths = [len(clip.waveform) for clip in clips]
    for number, hour in enumerate(_evenly(hours.chosen.calibration, BACKGROUNDS)):
        paths = [file.path for file in hour[:_FILES]]
        sound = longest_run(sounds(paths, features.rate_hz))
        if sound is None:
            continue
        room = (first_scored(features), len(sound.samples))
        (places,) = plan([room], lengths, seed=seed + number)
        windows, calls = mix_into(sound, clips, places, features)
        truths = [call.truth for call in calls if not call.nothing]
        if windows and truths:
            yield _pairs(windows, truths, scorers)


def confirmed(archive: ACOio, calls: Sequence[Truth], scorers: Trial) -> Iterator[Pair]:
    """Yield what both models find of the newest confirmed calls whose sound is still there."""
    for call in sorted(calls, key=lambda call: call.begin)[-_MOST_CONFIRMED:]:
        windows = _windows_about(archive, call, scorers.candidate)
        if windows:
            yield from _pairs(windows, [call], scorers)


def seconds_a_window(scorers: Sequence[Scorer], windows: Sequence[Window]) -> list[float]:
    """Return the CPU seconds that each model takes for a window, the best of some trials."""
    best = [float("inf")] * len(scorers)
    timed = windows[:_TIMED]
    for _ in range(_TIMES):
        for k, scorer in enumerate(scorers):
            begin_s = time.process_time()
            scorer.score(timed)
            best[k] = min(best[k], (time.process_time() - begin_s) / len(timed))
    return best


def repeats(scorers: Sequence[Scorer], windows: Sequence[Window]) -> bool:
    """Say whether all give the same bits for the same windows, each time they are asked."""
    torch.manual_seed(1)  # whatever draws by it would draw otherwise the second time
    given = [[s.score for s in scorer.score(windows)] for scorer in (*scorers, *scorers)]
    return all(scores == given[0] for scores in given)


def by_kind(pairs: Sequence[Pair]) -> Mapping[str, list[Pair]]:
    """Return the pairs of each kind of call, by its name."""
    kinds = sorted({pair.kind for pair in pairs})
    return {kind: [pair for pair in pairs if pair.kind == kind] for kind in kinds}


def _pairs(windows: Sequence[Window], truths: Sequence[Truth], scorers: Trial) -> list[Pair]:
    champion, candidate, *before = (
        match(heard(Piece("trial", [windows]), scorer).events or (), truths).found
        for scorer in (scorers.champion, scorers.candidate, *scorers.before)
    )
    return [
        Pair(t.label, t in champion, t in candidate, tuple(t in calls for calls in before))
        for t in truths
    ]


def _windows_about(archive: ACOio, call: Truth, scorer: Scorer) -> list[Window]:
    """Return the windows from somewhat before a call to after it, none where sound is gone."""
    features = scorer.features
    begin = call.begin - _BEFORE
    try:
        span = (begin - timedelta(seconds=features.context_s), call.end + _AFTER)
        files = of_records(archive.coverage(*span).files)
        paths = [file.path for file in files if file.seconds > 0]
        every = [window for windows in windows_of(paths, features) for window in windows]
    except (DataError, NotReadyError):
        return []
    return [w for w in every if w.end > begin and w.begin < call.end + _AFTER]


def _evenly(hours: Sequence[Hour], most: int) -> list[Hour]:
    count = min(len(hours), most)
    return [hours[k * len(hours) // count] for k in range(count)]
