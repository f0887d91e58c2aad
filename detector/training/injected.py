"""Simulated calls mixed into a station's own sound: to learn from, and to be tested by.

No recording of a call is needed, and the background is the real one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from acoio.simulate.calls import CALLS
from acoio.simulate.streams import Stream, keyed
from acoio.sound import Gap, Sound
from detector.config import FeatureSettings
from detector.features.windows import RollingFeatures
from detector.training.clips import RATE_HZ, Clip, clip_of
from detector.training.mixing import mixed, plan, where_it_sounds
from detector.values import Window

DENSE_GAPS_S: Final = (0.5, 5.0)  # calls last 0.4 to 10 s: one in half of all windows
DENSE_SNRS_DB: Final = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
"""As in `detector.training.ocean.VARIOUS`: a short training must meet many."""

_RECORDS: Final = 1024  # mixed at once, three minutes


def simulated_clips(each: int, *, seed: int, features: FeatureSettings) -> list[Clip]:
    """Return so many calls of each kind that the simulation knows, drawn by a seed."""
    range_hz = (features.low_hz, features.high_hz)
    clips: list[Clip] = []
    for row, (kind, maker) in enumerate(CALLS.items()):
        for k in range(each):
            draws = np.random.default_rng([seed, row, k]).integers(1 << 62, size=2).tolist()
            waveform = maker(keyed(draws[0], Stream.VOICE), keyed(draws[1], Stream.SHAPE))
            name = f"{kind} {k}"
            clips.append(clip_of(waveform, RATE_HZ, name=name, label=kind, range_hz=range_hz))
    return clips


def windows_with_calls(
    pieces: Iterable[Sound | Gap], clips: Sequence[Clip], features: FeatureSettings, *, seed: int
) -> Iterator[list[Window]]:
    """Yield the windows of sound with a call in about every other one of them."""
    rolling = RollingFeatures(features)
    lengths = [len(clip.waveform) for clip in clips]
    for number, piece in enumerate(_in_blocks(pieces)):
        if isinstance(piece, Gap):
            rolling.reset()
            continue
        (places,) = plan(
            [(0, len(piece.samples))],
            lengths,
            seed=seed + number,
            snrs_db=DENSE_SNRS_DB,
            gaps_s=DENSE_GAPS_S,
        )
        places = where_it_sounds(piece.samples, clips, places)
        yield rolling.push(replace(piece, samples=mixed(piece.samples, clips, places)))


def longest_run(pieces: Iterable[Sound | Gap]) -> Sound | None:
    """Return the longest sound between gaps as one, or None if there is none."""
    runs: list[list[Sound]] = [[]]
    for piece in pieces:
        if isinstance(piece, Gap):
            runs.append([])
        else:
            runs[-1].append(piece)
    return next(_joined(max(runs, key=_records)), None)


def _records(run: Sequence[Sound]) -> int:
    return sum(len(sound.marks_us) for sound in run)


def _in_blocks(pieces: Iterable[Sound | Gap]) -> Iterator[Sound | Gap]:
    """Yield sound that goes on as blocks, so long that calls fit in."""
    held: list[Sound] = []
    for piece in pieces:
        if isinstance(piece, Gap):
            yield from _joined(held)
            yield piece
            held = []
        else:
            held.append(piece)
            if _records(held) >= _RECORDS:
                yield from _joined(held)
                held = []
    yield from _joined(held)


def _joined(held: Sequence[Sound]) -> Iterator[Sound]:
    if held:
        samples = np.concatenate([sound.samples for sound in held])
        marks_us = np.concatenate([sound.marks_us for sound in held])
        yield Sound(samples, held[0].rate_hz, marks_us, file=held[0].file, sample=held[0].sample)
