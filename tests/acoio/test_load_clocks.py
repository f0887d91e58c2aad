"""A file by itself and in an archive: whatever its clock did, its times are the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acoio.archive import ACOio
from acoio.clock import to_us
from acoio.clock_errors import ClockError, ClockErrors
from acoio.load import read, read_span
from acoio.sound import Sound

from .archives import BEGIN, MINUTES, content, file_records, put, whole

FIRST, LAST = file_records(0)
RECORDS = st.integers(FIRST, LAST - 1)
SECONDS = st.sampled_from([-2048, -64, -1, 1, 2, 32, 65_536])


def same(alone: Sound, found: Sound) -> None:
    """Check that two sounds are one, to the rounding of a microsecond."""
    assert abs(to_us(found.begin) - to_us(alone.begin)) <= 1
    assert len(found.gaps) == len(alone.gaps)
    count = min(len(found.samples), len(alone.samples))
    assert max(len(found.samples), len(alone.samples)) - count <= len(alone.gaps)
    if not alone.gaps:
        assert np.allclose(found.marks_us, alone.marks_us, atol=1)
        assert np.array_equal(found.samples, alone.samples)
    for ours, theirs in zip(found.gaps, alone.gaps, strict=True):
        assert abs(to_us(ours.begin) - to_us(theirs.begin)) <= 1
        assert abs(to_us(ours.end) - to_us(theirs.end)) <= 1


@given(
    lies=st.dictionaries(RECORDS, SECONDS, max_size=6),
    glitch=st.tuples(RECORDS, st.integers(0, 60)),
    without=st.lists(st.integers(FIRST + 1, LAST - 2), max_size=2),
)
@settings(max_examples=60)
def test_a_file_by_itself_has_the_times_that_the_archive_gives(
    tmp_path_factory: pytest.TempPathFactory,
    lies: dict[int, int],
    glitch: tuple[int, int],
    without: list[int],
) -> None:
    base = tmp_path_factory.mktemp("one")
    told = {k: seconds for k, seconds in lies.items() if k not in without}
    jumped = range(glitch[0], min(sum(glitch), LAST))
    path = put(
        base, ".", MINUTES[0], content(FIRST, LAST, glitch=jumped, lies=told, without=without)
    )
    alone = read(path)
    same(alone, ACOio(base).load(alone.begin, alone.duration))


@given(
    lies=st.dictionaries(RECORDS, SECONDS, max_size=4),
    first=st.integers(0, (LAST - FIRST) * 4096 - 1),
    length=st.integers(1, 60_000),
)
@settings(max_examples=60)
def test_a_span_of_a_file_that_lies_is_what_the_whole_has_there(
    tmp_path_factory: pytest.TempPathFactory, lies: dict[int, int], first: int, length: int
) -> None:
    path = put(tmp_path_factory.mktemp("one"), ".", MINUTES[0], content(FIRST, LAST, lies=lies))
    alone, last = read(path), min(first + length, (LAST - FIRST) * 4096)
    span = read_span(path, first, last)
    assert np.array_equal(span.samples, alone.samples[first:last])
    assert abs(to_us(span.begin) - to_us(alone.time_of(first))) <= 1
    assert span.gaps == ()


@pytest.mark.parametrize("place", [FIRST, FIRST + 1, FIRST + 100, LAST - 1])
@pytest.mark.parametrize("wrong_s", [-2048, -1, 1, 65_536])
def test_one_second_that_lies_costs_nothing(tmp_path: Path, place: int, wrong_s: int) -> None:
    path = put(tmp_path, ".", MINUTES[0], content(FIRST, LAST, lies={place: wrong_s}))
    sound = read(path)
    assert (sound.begin, sound.gaps) == (BEGIN, ())
    assert np.array_equal(sound.samples, whole().samples[: len(sound.samples)])
    assert len(sound.samples) == (LAST - FIRST) * 4096


def test_the_rest_of_a_file_puts_right_a_begin_that_lies(tmp_path: Path) -> None:
    lies = {k: 5 + k % 7 for k in range(FIRST, FIRST + 100)}
    path = put(tmp_path, ".", MINUTES[0], content(FIRST, LAST, lies=lies))
    alone, span = read(path), read_span(path, 50_000, 90_000)
    assert (alone.begin, alone.gaps) == (BEGIN, ())
    assert abs(to_us(span.begin) - to_us(alone.time_of(50_000))) <= 1
    assert np.array_equal(span.samples, alone.samples[50_000:90_000])


@pytest.mark.parametrize("lies", [{}, {FIRST: 64}, {FIRST: -2048, FIRST + 7: 1}])
def test_known_errors_are_taken_out_alike(tmp_path: Path, lies: dict[int, int]) -> None:
    path = put(tmp_path, ".", MINUTES[0], content(FIRST, LAST, lies=lies))
    table = ClockErrors((ClockError(None, None, 4.0),))
    alone = read(path, clock_errors=table)
    assert to_us(alone.begin) == to_us(BEGIN) - 4_000_000
    same(alone, ACOio(tmp_path, clock_errors=table).load(alone.begin, alone.duration))
    span = read_span(path, 9000, 9999, clock_errors=table)
    assert abs(to_us(span.begin) - to_us(alone.time_of(9000))) <= 1


def test_a_false_header_before_the_first_record_is_set_aside(tmp_path: Path) -> None:
    for fill in (b"9", b"f"):
        path = put(tmp_path, ".", MINUTES[0], 17 * fill + content(FIRST, FIRST + 20))
        sound = read(path)
        assert abs(sound.begin - BEGIN).total_seconds() < 0.4
        assert 18 * 4096 <= len(sound.samples) <= 20 * 4096
