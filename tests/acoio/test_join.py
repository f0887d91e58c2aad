"""Sounds are put together by time: gaps and overlaps are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoio.clock import record_us
from acoio.join import OverlapWarning, join
from acoio.sound import Gap, Sound

from .feeds import RATE_HZ, noise
from .tones import seconds, sound, with_gap

N = 10 * 4096
WHOLE = sound(noise(10))


def same(one: Sound, other: Sound) -> bool:
    near = np.abs(one.marks_us - other.marks_us).max() <= 1
    return bool(np.array_equal(one.samples, other.samples) and near)


@given(cut=st.integers(1, N - 1))
def test_a_sound_cut_anywhere_and_joined_is_itself(cut: int) -> None:
    a, b = WHOLE.piece(0, cut), WHOLE.piece(cut, N)
    for joined in (a @ b, b @ a):
        assert same(joined, WHOLE)
        assert joined.gaps == ()
        assert joined.samples.dtype == np.int32
        assert (joined.file, joined.sample) == ("a", 0)


@given(first=st.integers(1, N - 400), length=st.integers(30, N))
def test_what_is_missing_between_is_zero_and_told(first: int, length: int) -> None:
    last = min(first + length, N - 1)
    joined = WHOLE.piece(0, first) @ WHOLE.piece(last, N)
    wanted = with_gap(WHOLE, first, last)
    assert np.array_equal(joined.samples, wanted.samples)
    assert len(joined.gaps) == 1
    for found, edge in zip(
        (joined.gaps[0].begin, joined.gaps[0].end),
        (wanted.gaps[0].begin, wanted.gaps[0].end),
        strict=True,
    ):
        assert abs(found - edge) <= timedelta(microseconds=2)
    assert joined.stretches() == [(0, first), (last, N)]


@given(first=st.integers(0, N - 200), length=st.integers(100, N), begin=st.integers(0, N - 1))
def test_an_overlap_that_agrees_is_silent(first: int, length: int, begin: int) -> None:
    a, b = WHOLE.piece(0, min(first + length, N)), WHOLE.piece(min(begin, first), N)
    assert same(a @ b, WHOLE)


def test_an_overlap_that_differs_keeps_what_began_first_and_is_told() -> None:
    a = WHOLE.piece(0, 6 * 4096)
    b = replace(WHOLE.piece(4 * 4096, N), samples=noise(10, seed=1)[4 * 4096 :])
    with pytest.warns(OverlapWarning, match="overlap of 8192 samples .* differ; kept those"):
        joined = b @ a
    assert np.array_equal(joined.samples[: 6 * 4096], noise(10)[: 6 * 4096])
    assert np.array_equal(joined.samples[6 * 4096 :], noise(10, seed=1)[6 * 4096 :])


def test_a_gap_is_filled_from_a_sound_that_has_it() -> None:
    holed = with_gap(WHOLE, 9000, 20_000)
    filled = holed @ WHOLE.piece(8000, 15_000)
    assert filled.stretches() == [(0, 15_000), (20_000, N)]
    assert np.array_equal(filled.samples[:15_000], WHOLE.samples[:15_000])
    assert same(filled @ WHOLE.piece(14_000, 21_000), WHOLE)


def test_many_are_joined_in_any_order() -> None:
    pieces = [WHOLE.piece(k, k + 5000) for k in range(0, N, 5000)]
    assert same(join(pieces[::-1]), WHOLE)


def test_a_gap_has_its_length_at_the_true_rate() -> None:
    """A day of 24000.127 Hz is 10,973 samples more than one of 24000 Hz."""
    one = sound(noise(1))
    hour_us = 3_600_000_000
    later = replace(one, marks_us=one.marks_us + hour_us)
    joined = one @ later
    assert len(joined.samples) - 4096 == round(hour_us / record_us(RATE_HZ) * 4096)
    assert abs(joined.time_of(len(joined.samples) - 4096) - later.begin) < timedelta(microseconds=1)
    assert abs(joined.gaps[0].seconds - (3600 - 4096 / 24000.127)) < 1e-4


def test_clocks_that_jitter_make_no_gap() -> None:
    a, b = WHOLE.piece(0, 5 * 4096), WHOLE.piece(5 * 4096, N)
    for jitter_us in (-900, -60, 60, 900):
        joined = a @ replace(b, marks_us=b.marks_us + jitter_us)
        assert np.array_equal(joined.samples, WHOLE.samples)
        assert joined.gaps == ()
        assert joined.marks_us[7] == WHOLE.marks_us[7] + jitter_us


def test_counts_that_were_filtered_join_those_that_were_not() -> None:
    a, b = WHOLE.piece(0, 5 * 4096), WHOLE.piece(5 * 4096, N)
    joined = a @ replace(b, samples=b.samples.astype(np.float32))
    assert joined.samples.dtype == np.float32
    assert np.array_equal(joined.samples, WHOLE.samples)


def test_what_cannot_be_joined_is_refused() -> None:
    with pytest.raises(ValueError, match="found no sound"):
        join([])
    with pytest.raises(ValueError, match=r"rates of \[12000.0, 24000.0\] Hz"):
        WHOLE @ WHOLE.resample_fs(12_000)
    with pytest.raises(ValueError, match="wanted up to a day"):
        WHOLE @ replace(WHOLE, marks_us=WHOLE.marks_us + 86_400_000_000)


def test_gaps_of_slices_add_up_to_the_gaps_of_the_whole() -> None:
    holed = with_gap(WHOLE, 9000, 20_000)
    left, right = holed[: seconds(0.5)], holed[seconds(0.5) :]
    assert [gap.end for gap in left.gaps] == [left.end]
    assert [gap.begin for gap in right.gaps] == [right.begin]
    joined = left @ right
    (gap,) = joined.gaps
    assert abs(gap.begin - holed.gaps[0].begin) <= timedelta(microseconds=2)
    assert isinstance(gap, Gap)
    assert joined.stretches() == holed.stretches()
