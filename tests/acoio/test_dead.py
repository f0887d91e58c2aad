"""A dead channel is known by the samples of a record, and a living sea is never called dead."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acoio.clock import from_us
from acoio.dead import Channel, dead_forms
from acoio.reader import read_chunk
from acoio.simulate import DEMO_BEGIN, Ocean, OceanSettings
from acoio.sound import Gap, Sound
from tests.acoio.feeds import RATE_HZ, begins_us
from tests.shared import needs_recordings, real_files

_RECORD = 4096
_K = np.arange(20 * _RECORD)
_RNG = np.random.default_rng(1)
_FULL = 2**23 - 1


def _normal(rms: float) -> NDArray[np.float64]:
    return _RNG.normal(0, rms, len(_K))


def _forms(samples: NDArray[np.float64]) -> set[str]:
    return set(dead_forms(np.round(samples).astype(np.int32)))


@pytest.fixture(scope="module")
def sea() -> NDArray[np.int32]:
    return Ocean(4, DEMO_BEGIN, OceanSettings()).piece(0, 100)


_DEAD = {
    "zeros": (0.0 * _K, "still"),
    "a stuck value": (0.0 * _K - 7777, "still"),
    "full scale": (0.0 * _K + _FULL, "still"),
    "one count up or down": (_RNG.integers(-1, 2, len(_K)), "noise"),
    "a bit that toggles": (_K % 2 + 500.0, "noise"),
    "a drift": (0.001 * _K, "still"),
    "a constant voltage": (1e6 + _normal(0.6), "noise"),
    "the noise of a converter": (_normal(1.2), "noise"),
    "noise on a drift": (0.01 * _K + _normal(0.6), "noise"),
    "two counts up or down": (_RNG.integers(-2, 3, len(_K)), "noise"),
    "from rail to rail": (np.where(_RNG.random(len(_K)) < 0.5, -_FULL, _FULL), "clipped"),
    "noise far above full scale": (np.clip(_normal(5.0), -1, 1) * _FULL, "clipped"),
    "rails that are not quite even": (
        np.clip(_normal(9.0), -1, 1) * _FULL + _normal(500),
        "clipped",
    ),
}


@pytest.mark.parametrize(("samples", "form"), _DEAD.values(), ids=_DEAD)
def test_a_dead_channel_is_known_by_each_record(samples: NDArray[np.float64], form: str) -> None:
    assert _forms(samples) == {form}


def _lives(samples: NDArray[np.float64]) -> bool:
    marks_us = begins_us(len(samples) // _RECORD)
    sound = Sound(np.round(samples).astype(np.int32), RATE_HZ, marks_us)
    channel = Channel()
    list(channel.push(sound))  # what is before
    return all(isinstance(piece, Sound) for piece in channel.push(sound))


@pytest.mark.parametrize("top", [3e4, 31, 7, 3, 1])
def test_a_sea_lives_however_quiet_it_is(sea: NDArray[np.int32], top: float) -> None:
    """At 3 counts it has three bits, with its swell."""
    assert _lives(sea * (top / np.abs(sea).max()))


@pytest.mark.parametrize("offset", [0, -300_000])
def test_calls_that_overload_are_sound(offset: int) -> None:
    tone = 1.8 * _FULL * np.sin(2 * np.pi * 300 * _K / RATE_HZ)
    assert _forms(np.clip(tone + offset, -_FULL, _FULL)) == {""}
    assert _forms(np.clip(_normal(1.0 * _FULL), -_FULL, _FULL)) == {""}


def test_noise_and_tones_of_three_bits_live() -> None:
    assert _forms(_RNG.integers(-4, 4, len(_K)).astype(float)) == {""}
    assert _forms(3 * np.sin(2 * np.pi * 300 * _K / RATE_HZ)) == {""}


@pytest.mark.parametrize("cut", [40, 700, 2048, 3500])
@pytest.mark.parametrize("value", [0, 12_345, _FULL])
def test_a_record_in_which_a_loud_channel_dies_is_dead(
    sea: NDArray[np.int32], cut: int, value: int
) -> None:
    broken = sea[:_RECORD].copy()
    broken[cut:] = value
    assert dead_forms(broken) == ["dying"]


def test_a_quiet_sea_that_dies_is_dead_once_its_memory_is_over(sea: NDArray[np.int32]) -> None:
    quiet = np.round(sea[: 20 * _RECORD] * (7 / np.abs(sea).max())).astype(np.int32)
    samples = np.concatenate([quiet, np.zeros(200 * _RECORD, np.int32)])
    *_, gap = Channel().push(Sound(samples, RATE_HZ, begins_us(220)))
    assert isinstance(gap, Gap)
    assert gap.seconds == pytest.approx((200 - 128) * 0.1706657, abs=1e-4)


@given(cuts=st.lists(st.integers(0, 20), max_size=6), dead=st.sets(st.integers(0, 19)))
@settings(max_examples=40)
def test_where_a_sound_is_dead_does_not_depend_on_how_it_is_cut(
    sea: NDArray[np.int32], cuts: list[int], dead: set[int]
) -> None:
    samples = sea.reshape(-1, _RECORD)[:20].copy()
    samples[sorted(dead)] = 7
    times = begins_us(21)
    channel, edges = Channel(), [0, *sorted(cuts), 20]
    pieces = [
        piece
        for a, b in pairwise(edges)
        for piece in channel.push(
            Sound(samples[a:b].ravel(), RATE_HZ, times[a:b], sample=a * _RECORD)
        )
    ]
    alive = [mark for piece in pieces if isinstance(piece, Sound) for mark in piece.marks_us]
    assert alive == [times[k] for k in range(20) if k not in dead]
    assert [p.sample for p in pieces if isinstance(p, Sound)] == sorted(
        p.sample for p in pieces if isinstance(p, Sound)
    )
    gaps = [piece for piece in pieces if isinstance(piece, Gap)]
    assert sum(gap.seconds for gap in gaps) == pytest.approx(len(dead) * 0.1706657, abs=1e-4)
    if dead:
        assert gaps[0].begin == from_us(times[min(dead)])


@pytest.mark.parametrize("top", [3e4, 7, 3])
@pytest.mark.parametrize("path", [pytest.param(0, marks=needs_recordings)])
def test_real_minutes_live_however_quiet_they_are(path: int, top: float) -> None:
    found = read_chunk(real_files()[path], rate_hz=RATE_HZ, limit=2000).records
    samples = np.concatenate([record.samples for record in found])
    assert _lives(samples * (top / np.abs(samples).max()))
