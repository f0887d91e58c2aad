"""Simulated calls in a station's own sound: many windows have one, and a seed says which."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acoio.clock import from_us
from acoio.sound import Gap, Sound
from detector.features.windows import RollingFeatures
from detector.training.injected import longest_run, simulated_clips, windows_with_calls
from detector.values import Window

from .sounds import SMALL, noise, part, sound

CLIPS = simulated_clips(2, seed=1, features=SMALL)
WHOLE = sound(noise(1400, seed=2))
CUT = Gap(from_us(0), from_us(1))


def windows(pieces: list[Sound | Gap], *, seed: int = 1) -> list[Window]:
    return [w for found in windows_with_calls(pieces, CLIPS, SMALL, seed=seed) for w in found]


def loudest_db(found: list[Window]) -> NDArray[np.float32]:
    return np.array([w.excess_db.max() for w in found])


def test_there_are_calls_of_each_kind_by_a_seed() -> None:
    assert set(Counter(clip.label for clip in CLIPS).values()) == {2}
    assert len({clip.label for clip in CLIPS}) == 4
    again, other = (simulated_clips(2, seed=k, features=SMALL) for k in (1, 2))
    assert all(np.array_equal(a.waveform, b.waveform) for a, b in zip(CLIPS, again, strict=True))
    assert not any(
        np.array_equal(a.waveform, b.waveform) for a, b in zip(CLIPS, other, strict=True)
    )


def test_about_every_other_window_has_a_call_and_a_seed_makes_the_same_again() -> None:
    first, again, other = (windows([WHOLE], seed=k) for k in (1, 1, 9))
    assert np.array_equal(loudest_db(first), loudest_db(again))
    assert not np.array_equal(loudest_db(first), loudest_db(other))
    quiet_db = np.quantile(loudest_db(RollingFeatures(SMALL).push(WHOLE)), 0.9)
    assert 0.2 < np.mean(loudest_db(first) > quiet_db) < 0.95  # of quiet ones, 0.1


def test_where_nothing_sounds_no_call_is_mixed_in() -> None:
    """A recorder that stands still for seconds, in an hour that is otherwise well."""
    for value in (0, -7):
        samples = WHOLE.samples.copy()
        samples[2_000_000:4_000_000] = value
        found = windows([replace(WHOLE, samples=samples)])
        assert len(found) == len(windows([WHOLE]))
    assert windows([replace(WHOLE, samples=np.zeros_like(WHOLE.samples))])


def test_a_gap_begins_anew_and_the_longest_run_is_between_gaps() -> None:
    pieces: list[Sound | Gap] = [part(WHOLE, 0, 100), CUT, part(WHOLE, 100, 700), CUT]
    assert len(windows(pieces)) < len(windows([part(WHOLE, 0, 700)]))
    run = longest_run(pieces)
    assert run is not None and np.array_equal(run.samples, part(WHOLE, 100, 700).samples)
    assert longest_run([CUT]) is None
