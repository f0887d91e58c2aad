"""A header that lies claims no time; what one file lacks another that has it gives."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoio.archive import ACOio
from acoio.claims import Claims
from acoio.clock import JUMP_US, record_us, to_us
from acoio.errors import DataError
from acoio.join import OverlapWarning

from .archives import BEGIN, MINUTES, archive, content, file_records, put, whole

SECOND = timedelta(seconds=1)
FIRST, LAST = file_records(1)
PLACES = [FIRST, FIRST + 1, FIRST + 100, LAST - 2, LAST - 1]


def all_of_it(base: Path, missing: Sequence[int] = ()) -> None:
    """Check that the archive gives all sound but that of some records, and says so."""
    loader, sound = ACOio(base), whole()
    wanted = sound.samples.copy().reshape(-1, 4096)
    wanted[list(missing)] = 0
    cover = loader.coverage()
    assert (cover.begin, cover.overlaps, cover.strays) == (BEGIN, (), ())
    assert abs(to_us(cover.end) - to_us(sound.end)) <= 2
    lost_s = sum(gap.seconds for gap in cover.gaps)
    assert lost_s == pytest.approx(len(missing) * record_us() / 1e6, abs=1e-4)
    found = loader.load(BEGIN, cover.end - BEGIN)
    assert len(found.gaps) == len(cover.gaps)
    assert abs(len(found.samples) - wanted.size) <= 1
    assert np.array_equal(found.samples[: wanted.size - 1], wanted.ravel()[:-1])


@pytest.mark.parametrize("wrong_s", [2048, -2048, 65_536, 64, -32, 1])
@pytest.mark.parametrize("place", PLACES)
def test_one_second_that_lies_costs_nothing(place: int, wrong_s: int, tmp_path: Path) -> None:
    archive(tmp_path)
    put(tmp_path, "{:%Y/%m/%d}", MINUTES[1], content(FIRST, LAST, lies={place: wrong_s}))
    all_of_it(tmp_path)


@pytest.mark.parametrize("wrong_s", [2048, -2048, 32])
@pytest.mark.parametrize("place", [*PLACES[1:-1], FIRST + 200])
def test_a_record_that_lies_after_a_missing_one_costs_nothing(
    place: int, wrong_s: int, tmp_path: Path
) -> None:
    archive(tmp_path)
    data = content(FIRST, LAST, lies={place: wrong_s}, without=[place - 1])
    put(tmp_path, "{:%Y/%m/%d}", MINUTES[1], data)
    all_of_it(tmp_path, missing=[place - 1])


def test_what_one_file_lacks_another_of_the_same_minute_gives(tmp_path: Path) -> None:
    first, last = file_records(0)
    lacking = content(first, last, without=range(20, 80))
    put(tmp_path, ".", MINUTES[0], lacking, packed=False)
    put(tmp_path, ".", MINUTES[0], content(first, last))
    loader = ACOio(tmp_path)
    with pytest.warns(OverlapWarning) as told:
        sound = loader.load(BEGIN, 50 * SECOND)
    assert sound.gaps == ()
    assert np.array_equal(sound.samples, whole()[BEGIN : BEGIN + 50 * SECOND].samples)
    assert [str(x.message).split(" are also")[0].split(": ")[1][:7] for x in told] == [
        "3.413 s",
        f"{(last - 80) * record_us() / 1e6:.3f}"[:6] + " ",
    ]
    cover = loader.coverage()
    assert cover.gaps == ()
    shared_s = sum(overlap.seconds for overlap in cover.overlaps)
    assert shared_s == pytest.approx((last - first - 60) * record_us() / 1e6, abs=1e-4)
    assert [file.seconds for file in cover.files] == pytest.approx(
        [shared_s, 60 * record_us() / 1e6], abs=1e-4
    )


def test_a_span_within_the_filled_gap_has_no_overlap_to_tell(tmp_path: Path) -> None:
    first, last = file_records(0)
    put(tmp_path, ".", MINUTES[0], content(first, last, without=range(20, 80)), packed=False)
    put(tmp_path, ".", MINUTES[0], content(first, last))
    begin = BEGIN + 5 * SECOND
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sound = ACOio(tmp_path).load(begin, 7 * SECOND)
    assert sound.gaps == ()
    assert np.array_equal(sound.samples, whole()[begin : begin + 7 * SECOND].samples)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), max_size=12))
def test_all_that_is_claimed_is_had_once(spans: list[tuple[int, int]]) -> None:
    claims, had = Claims(), np.zeros(80, int)
    wanted = np.zeros(80, int)
    for begin, length in spans:
        wanted[begin : begin + length] = 1
        parts = claims.split(begin * 2 * JUMP_US, (begin + length) * 2 * JUMP_US)
        assert sum(x.end_us - x.begin_us for x in parts) == length * 2 * JUMP_US
        for part in (x for x in parts if not x.file):
            claims.take(part.begin_us, part.end_us, "file")
            had[part.begin_us // (2 * JUMP_US) : part.end_us // (2 * JUMP_US)] += 1
    assert np.array_equal(had, wanted)


@pytest.mark.parametrize("duration", [timedelta(0), -SECOND])
def test_nothing_of_a_path_is_refused_as_of_an_instant(duration: timedelta, tmp_path: Path) -> None:
    (path, *_) = archive(tmp_path)
    with pytest.raises(DataError, match="more than nothing"):
        ACOio(tmp_path).load(path, duration)
