"""Record times: the rule of the header's two clocks, and the repair of a jump."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoio.clock import ClockRepair, begins_us, from_us, header_from_begin, to_us
from acoio.header import OLD, RECORD_SAMPLES
from acoio.record import Record

from .feeds import BEGIN, RATE_HZ
from .feeds import begins_us as true_begins_us


def header(**clock: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    head = np.zeros(1, OLD)
    for name, value in clock.items():
        head[name] = value
    return head


def records(count: int, *, jump: range = range(0), jump_us: int = 0) -> Iterator[Record]:
    """Yield records whose timecount is late by `jump_us` within `jump`."""
    for k, begin_us in enumerate(true_begins_us(count).tolist()):
        true = header(**header_from_begin(begin_us, RATE_HZ))
        late = jump_us if k in jump else 0
        yield Record(
            number=k,
            begin=from_us(begin_us + late),
            bits=16,
            samples=np.zeros(RECORD_SAMPLES, np.int32),
            raw=true.tobytes(),
            layout="old",
            byte=0,
            sample=0,
        )


def test_the_first_real_record_begins_half_a_second_before_its_name() -> None:
    """Header of 2016-02-18--08.15.HYD24BBpk: precise time 08:14:59.5213416 at sample 512."""
    head = header(tSec=1455783300, tuSec=53141, timecount=5213416)
    begin = from_us(int(begins_us(head, RATE_HZ)[0]))
    expected = datetime(2016, 2, 18, 8, 14, 59, tzinfo=UTC) + timedelta(
        seconds=0.5213416 - 50e-6 - 511 / 24_000.127
    )
    assert abs(begin - expected) <= timedelta(microseconds=1)


@given(st.integers(1_300_000_000_000_000, 2_000_000_000_000_000), st.integers(0, 999_999))
def test_a_time_written_into_a_header_is_read_again(begin_us: int, ahead_us: int) -> None:
    head = header(**header_from_begin(begin_us, RATE_HZ, ahead_us))
    assert int(begins_us(head, RATE_HZ)[0]) == begin_us


def test_times_before_and_after_conversion_are_the_same() -> None:
    when = datetime(2024, 3, 1, 6, 0, 0, 123457, tzinfo=UTC)
    assert from_us(to_us(when)) == when
    assert to_us(when.replace(tzinfo=None)) == to_us(when)


def test_a_jump_of_timecount_is_repaired_from_the_smooth_clock() -> None:
    """As in the file of 2018-10-28 13:30: 37 records, 0.3025 s."""
    true = true_begins_us(400)
    repaired = list(ClockRepair().push(records(400, jump=range(200, 237), jump_us=302_500)))
    late_us = [abs(to_us(r.begin) - int(t)) for r, t in zip(repaired, true, strict=True)]
    assert max(late_us) <= 1


def test_a_step_of_both_clocks_is_left_as_it_is() -> None:
    steady = list(records(100))
    stepped = [replace(r, begin=r.begin + timedelta(seconds=3)) for r in records(100)]
    heads = [header(**header_from_begin(to_us(r.begin), RATE_HZ)).tobytes() for r in stepped]
    moved = [replace(r, raw=raw) for r, raw in zip(stepped, heads, strict=True)]
    repaired = list(ClockRepair().push([*steady, *moved]))
    assert [r.begin for r in repaired[100:]] == [r.begin for r in moved]


@given(cuts=st.lists(st.integers(0, 300), max_size=6), begin=st.integers(130, 250))
def test_the_repair_is_the_same_wherever_its_input_is_cut(cuts: Sequence[int], begin: int) -> None:
    feed = list(records(300, jump=range(begin, begin + 30), jump_us=-150_000))
    whole = [r.begin for r in ClockRepair().push(feed)]
    stage, edges = ClockRepair(), [0, *sorted(cuts), 300]
    parts = [r.begin for a, b in itertools.pairwise(edges) for r in stage.push(feed[a:b])]
    assert parts == whole


def test_record_zero_lies_at_the_begin() -> None:
    assert next(records(1)).begin == BEGIN


@pytest.mark.parametrize("ahead_us", [532_600, 681_000])
def test_the_repair_leaves_the_slow_drift_of_the_clocks_alone(ahead_us: int) -> None:
    """The two clocks of 2018-10-28 drift apart by 3.5 ms in five minutes."""
    feed = []
    for k, record in enumerate(records(1000)):
        drift = ahead_us + round(k * 3500 / 1757)
        head = header(**header_from_begin(to_us(record.begin), RATE_HZ, drift))
        feed.append(replace(record, raw=head.tobytes()))
    assert [r.begin for r in ClockRepair().push(feed)] == [r.begin for r in feed]
