"""Record times: the rule of the header's two clocks, and the repair of a jump."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acoio.clock import MEMORY_RECORDS, ClockRepair, begins_us, from_us, header_from_begin, to_us
from acoio.header import OLD, RECORD_SAMPLES
from acoio.record import Record

from .feeds import BEGIN, RATE_HZ
from .feeds import begins_us as true_begins_us


def header(**clock: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    head = np.zeros(1, OLD)
    for name, value in clock.items():
        head[name] = value
    return head


def records(
    count: int,
    *,
    late: Callable[[int], int] = lambda _: 0,
    ahead: Callable[[int], int] = lambda _: 531_800,
    first: int = 0,
    delay_us: int = 0,
) -> list[Record]:
    """Return records of one file, read from headers whose timecount is `late` µs and
    whose tuSec runs `ahead` of it, each by record.
    """
    heads = []
    for k, begin_us in enumerate((true_begins_us(count) + delay_us).tolist()):
        clocks = header_from_begin(begin_us + late(k), RATE_HZ, ahead(k) - late(k))
        heads.append(header(**clocks))
    begins = begins_us(np.concatenate(heads), RATE_HZ)
    return [
        Record(
            number=first + k,
            begin=from_us(int(begins[k])),
            bits=16,
            samples=np.zeros(RECORD_SAMPLES, np.int32),
            raw=head.tobytes(),
            layout="old",
            byte=8228 * k,
            sample=RECORD_SAMPLES * k,
        )
        for k, head in enumerate(heads)
    ]


def within(first: int, last: int, value: int) -> Callable[[int], int]:
    """Return `value` for records first to last - 1, and 0 elsewhere."""
    return lambda k: value if first <= k < last else 0


def clock_set(record: Record, by_us: int) -> Record:
    """Return a record with both of its clocks set forward."""
    head = header(**header_from_begin(to_us(record.begin) + by_us, RATE_HZ))
    begin = from_us(int(begins_us(head, RATE_HZ)[0]))
    return replace(record, begin=begin, raw=head.tobytes())


def errors_us(repaired: Sequence[Record], delay_us: int = 0) -> list[int]:
    """Return how far each record's time is off the truth."""
    true = (true_begins_us(len(repaired)) + delay_us).tolist()
    return [abs(to_us(r.begin) - t) for r, t in zip(repaired, true, strict=True)]


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


@pytest.mark.parametrize("jump_us", [302_500, -150_000, 25_000])
def test_a_jump_of_timecount_is_repaired_from_the_smooth_clock(jump_us: int) -> None:
    """As in the file of 2018-10-28 13:30: 37 records, 0.3025 s."""
    feed = records(400, late=within(200, 237, jump_us))
    assert max(errors_us(feed)) > 20_000
    assert max(errors_us(list(ClockRepair().push(feed)))) <= 2


def test_a_jump_of_the_other_clock_moves_nothing() -> None:
    feed = records(300, ahead=lambda k: 531_800 + within(150, 180, 100_000)(k))
    assert [r.begin for r in ClockRepair().push(feed)] == [r.begin for r in feed]


@pytest.mark.parametrize("wrong_us", [7_200_000_000, -7_200_000_000, 3_000_000])
def test_a_record_whose_second_is_wrong_is_timed_by_its_number(wrong_us: int) -> None:
    feed = records(300)
    feed[150] = clock_set(feed[150], wrong_us)
    assert max(errors_us(list(ClockRepair().push(feed)))) <= 2


def test_a_gap_between_files_is_believed_at_once_and_whole() -> None:
    """An hour later the two clocks have another distance; that is no glitch."""
    later = records(200, ahead=lambda _: 680_000, delay_us=3_600_000_000, first=5000)
    repair = ClockRepair()
    list(repair.push(records(200)))
    repaired = list(repair.push(later))
    assert [r.begin for r in repaired] == [r.begin for r in later]


def test_missing_records_within_a_file_keep_their_time() -> None:
    feed = records(300)
    del feed[150:170]
    assert [r.begin for r in ClockRepair().push(feed)] == [r.begin for r in feed]


def test_a_clock_that_is_set_within_a_file_is_believed_after_half_the_memory() -> None:
    feed = records(300)
    feed[150:] = [clock_set(record, 1_000_000) for record in feed[150:]]
    repaired = list(ClockRepair().push(feed))
    moved = [k for k, (a, b) in enumerate(zip(feed, repaired, strict=True)) if a.begin != b.begin]
    assert moved == list(range(150, 150 + MEMORY_RECORDS // 2))


@given(
    cuts=st.lists(st.integers(0, 300), max_size=6),
    begin=st.integers(130, 250),
    skipped=st.integers(1, 200),
)
def test_the_repair_is_the_same_wherever_its_input_is_cut(
    cuts: list[int], begin: int, skipped: int
) -> None:
    feed = records(300, late=within(begin, begin + 30, -150_000))
    del feed[skipped]
    whole = [r.begin for r in ClockRepair().push(feed)]
    stage, edges = ClockRepair(), [0, *sorted(cuts), 299]
    parts = [r.begin for a, b in pairwise(edges) for r in stage.push(feed[a:b])]
    assert parts == whole


@given(begin=st.integers(130, 250), start=st.integers(0, 150))
@settings(max_examples=30)
def test_what_is_said_of_a_record_depends_on_no_more_than_the_memory(
    begin: int, start: int
) -> None:
    feed = records(400, late=within(begin, begin + 37, 302_500))
    whole = [r.begin for r in ClockRepair().push(feed)]
    late = [r.begin for r in ClockRepair().push(feed[start:])]
    assert late[MEMORY_RECORDS:] == whole[start + MEMORY_RECORDS :]


def test_record_zero_lies_at_the_begin() -> None:
    assert records(1)[0].begin == BEGIN


@pytest.mark.parametrize("ahead_us", [532_600, 681_000])
def test_the_repair_leaves_the_slow_drift_of_the_clocks_alone(ahead_us: int) -> None:
    """The two clocks of 2018-10-28 drift apart by 3.5 ms in five minutes."""
    feed = records(1000, ahead=lambda k: ahead_us + round(k * 3500 / 1757))
    assert [r.begin for r in ClockRepair().push(feed)] == [r.begin for r in feed]
