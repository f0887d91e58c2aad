"""Simulated sound to evaluate on: without calls, with calls, with clips mixed in.

A generator of pieces each, hour by hour; its seeds are those of no training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from acoio.clock import from_us, record_us
from acoio.errors import SetupError
from acoio.header import RECORD_SAMPLES
from acoio.simulate import DEMO_BEGIN, Ocean, OceanSettings, Truth
from acoio.sound import Sound
from acoio.writer import record_begins_us
from detector.config import FeatureSettings
from detector.evaluation.values import Call, Piece
from detector.features.windows import RollingFeatures
from detector.training.clips import Clip
from detector.training.mixing import Place, mixed, plan, where_it_sounds
from detector.training.ocean import TYPICAL, Stretch, simulator, stretches, windows_and_truth
from detector.values import Span, Window

WITH_CALLS: Final = OceanSettings(calls_per_hour=60.0, snr_db=(-10.0, -5.0, 0.0, 5.0, 10.0))
_APART: Final = 100_000  # training's seeds (detector.training.recipe) are far below
_TYPICAL, _CALLS, _CLIPS = 1, 2, 3
_BOUT_S: Final = 600.0  # calls of a kind within ten minutes are one visit's, mostly
_AT_ONCE: Final = 256  # records
_LEAD_S: Final = 1.0
_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True)
class Simulated:
    """How much to simulate, for which features, with which seed, in how many processes."""

    features: FeatureSettings
    hours: float
    seed: int
    jobs: int = 1

    def stretches(self, part: int, ocean: OceanSettings) -> list[Stretch]:
        """Return the stretches of a part of the evaluation; each part has its own seeds.

        Raises
        ------
        SetupError
            If that is under six minutes, of which a tenth and more is never scored.
        """
        found = stretches(10 * (_APART + self.seed) + part, self.hours, ocean, self.features)
        if not found:
            raise SetupError(f"simulated hours: found {self.hours:g}, wanted 0.1 or more")
        return found


def typical(wanted: Simulated) -> Iterator[Piece]:
    """Yield sound without calls, where everything that is found is a false alarm."""
    parts = wanted.stretches(_TYPICAL, TYPICAL)
    for k, (windows, truth) in enumerate(_spread(windows_and_truth, parts, wanted.jobs)):
        yield Piece(f"typical {k}", [windows], (), truth, (_hour(parts[k]),))


def with_calls(wanted: Simulated) -> Iterator[Piece]:
    """Yield sound with calls, a noise of the gear here and there, and ships."""
    parts = wanted.stretches(_CALLS, WITH_CALLS)
    for k, (windows, truth) in enumerate(_spread(windows_and_truth, parts, wanted.jobs)):
        calls = tuple(Call(t, _visit(t, k)) for t in truth if t.kind == "call")
        yield Piece(f"calls {k}", [windows], calls, tuple(t for t in truth if t.kind != "call"))


def with_clips(wanted: Simulated, clips: Sequence[Clip]) -> Iterator[Piece]:
    """Yield typical sound with clips mixed in; windows that none of them touches are quiet."""
    # Half hours, since a stretch is mixed as a whole: 170 MB of samples.
    halves = replace(wanted, hours=2 * wanted.hours).stretches(_CLIPS, TYPICAL)
    parts = [replace(part, hours=part.hours / 2) for part in halves]
    lead = first_scored(wanted.features)
    rooms = [(lead, _records(part) * RECORD_SAMPLES) for part in parts]
    plans = plan(rooms, [len(clip.waveform) for clip in clips], seed=wanted.seed)
    jobs = [Mixture(part, tuple(clips), tuple(p)) for part, p in zip(parts, plans, strict=True)]
    for k, (windows, calls) in enumerate(_spread(mixed_windows, jobs, wanted.jobs)):
        yield Piece(f"clips {k}", [windows], calls, (), (_hour(parts[k]),))


@dataclass(frozen=True, eq=False)
class Mixture:
    """A stretch of ocean and what goes where in it."""

    stretch: Stretch
    clips: tuple[Clip, ...]
    places: tuple[Place, ...]


def mixed_windows(mixture: Mixture) -> tuple[list[Window], tuple[Call, ...]]:
    """Return the windows of a mixture, and the calls in it."""
    stretch = mixture.stretch
    ocean, records = Ocean(stretch.seed, DEMO_BEGIN, stretch.ocean), _records(stretch)
    marks_us = record_begins_us(DEMO_BEGIN, 0, records)
    sound = Sound(ocean.piece(0, records), stretch.features.rate_hz, marks_us)
    return mix_into(sound, mixture.clips, mixture.places, stretch.features)


def mix_into(
    sound: Sound, clips: Sequence[Clip], places: Sequence[Place], features: FeatureSettings
) -> tuple[list[Window], tuple[Call, ...]]:
    """Return the windows of a sound of whole records with clips in it, and these as calls.

    Where the background does not sound, no clip is mixed in.
    """
    places = where_it_sounds(sound.samples, clips, places)
    loud = replace(sound, samples=mixed(sound.samples, clips, places))
    rolling, windows = RollingFeatures(features), list[Window]()
    for first in range(0, len(sound.marks_us), _AT_ONCE):
        windows += rolling.push(_records_of(loud, first, first + _AT_ONCE))
    return windows, tuple(_call(sound, clips[place.clip], place) for place in places)


def _call(sound: Sound, clip: Clip, place: Place) -> Call:
    begin, end = sound.time_of(place.at), sound.time_of(place.at + len(clip.waveform))
    truth = Truth(begin, end, clip.low_hz, clip.high_hz, clip.label, place.snr_db, "call")
    return Call(truth, clip.name)


def _records_of(sound: Sound, first: int, last: int) -> Sound:
    return Sound(
        sound.samples[first * RECORD_SAMPLES : last * RECORD_SAMPLES],
        sound.rate_hz,
        sound.marks_us[first:last],
        file=sound.file,
        sample=sound.sample + first * RECORD_SAMPLES,
    )


def _spread(work: Callable[[_In], _Out], items: Sequence[_In], jobs: int) -> Iterator[_Out]:
    """Yield what work gives of each item, in order, a few at a time: windows are large."""
    if jobs == 1:
        yield from map(work, items)
        return
    with simulator(jobs) as pool:
        for k in range(0, len(items), 2 * jobs):
            yield from pool.map(work, items[k : k + 2 * jobs])


def first_scored(features: FeatureSettings) -> int:
    """Return the sample after which windows come: one record, the past, and a step."""
    heard = (features.past_records + 1) * RECORD_SAMPLES
    return heard + round((features.step_s + _LEAD_S) * features.rate_hz)


def _records(stretch: Stretch) -> int:
    return int(stretch.hours * 3600e6 / record_us(stretch.features.rate_hz))


def _hour(stretch: Stretch) -> Span:
    end = record_begins_us(DEMO_BEGIN, _records(stretch), 1)[0]
    return DEMO_BEGIN, from_us(int(end))


def _visit(truth: Truth, piece: int) -> str:
    bout = int((truth.begin - DEMO_BEGIN).total_seconds() // _BOUT_S)
    return f"{piece} {truth.label} {bout}"
