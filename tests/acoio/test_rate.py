"""A file whose clock is not that of its rate is known after a few records, whole or growing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import acoio
from acoio.clock import from_us, record_us, to_us
from acoio.rate import ClockWatch, clock_fault
from acoio.record import Record
from acoio.writer import encode_records
from tests.acoio.feeds import BEGIN, RATE_HZ, write_feed

_NONE = np.zeros(0, np.int32)
_RECORD_US = record_us(RATE_HZ)


def _records(steps_us: list[float], number: int = 0, byte: int = 0) -> Iterator[Record]:
    times = to_us(BEGIN) + np.rint(np.cumsum([0, *steps_us])).astype(np.int64)
    for k, time in enumerate(times.tolist()):
        yield Record(number + k, from_us(time), 8, _NONE, b"", "new", byte + 4132 * k, 0)


def _fault(steps_us: list[float]) -> tuple[int, str]:
    """Return after how many records a clock is found to be no good, and the reason."""
    watch = ClockWatch(RATE_HZ)
    for k, record in enumerate(_records(steps_us), 1):
        if fault := watch.push(record, "a"):
            return k, fault
    return 0, ""


_RATES = {12_000: "12000", 22_000: "22000", 25_000: "25000", 44_100: "44100", 96_000: "96000"}


@pytest.mark.parametrize(("rate_hz", "named"), _RATES.items())
def test_another_rate_is_found_within_a_second(rate_hz: float, named: str) -> None:
    found, fault = _fault([record_us(rate_hz)] * 20)
    assert found == 5
    assert f"as at {named} Hz, wanted 170.7 ms, as at 24000 Hz" in fault


@pytest.mark.parametrize("ppm", [20_000, -20_000, 11_000])
def test_a_clock_over_a_hundredth_off_is_another_rate(ppm: float) -> None:
    assert "ms apart, as at" in _fault([_RECORD_US * (1 + ppm * 1e-6)] * 20)[1]


@pytest.mark.parametrize("ppm", [0, 200, -200, 5000, -7000])
def test_a_clock_that_is_somewhat_off_is_measured(ppm: float) -> None:
    jitter_us = np.random.default_rng(3).normal(0, 100, 300)
    watch = ClockWatch(RATE_HZ)
    steps = [_RECORD_US * (1 + ppm * 1e-6)] * 300
    for record, off_us in zip(_records(steps), [*jitter_us, 0.0], strict=True):
        record = replace(record, begin=record.begin + timedelta(microseconds=float(off_us)))
        assert watch.push(record, "a") == ""
    assert watch.rate_ratio == pytest.approx(1 / (1 + ppm * 1e-6), abs=5e-6)


_BROKEN = {
    "stands still": [0.0] * 20,
    "runs backwards": [-_RECORD_US] * 20,
    "jumps": [_RECORD_US * x for x in np.random.default_rng(1).uniform(-50, 50, 20)],
}


@pytest.mark.parametrize(("does", "steps"), _BROKEN.items())
def test_a_clock_of_no_use_is_one_reason(does: str, steps: list[float]) -> None:
    found, fault = _fault(steps)
    assert found == 5
    assert f"found a clock that {does}" in fault


def test_glitches_gaps_and_numbers_that_jump_are_no_fault() -> None:
    glitch = [_RECORD_US] * 2 + [_RECORD_US + 3e5] + [_RECORD_US] * 36 + [_RECORD_US - 3e5]
    assert _fault([*glitch, *[_RECORD_US] * 90])[1] == ""
    assert _fault([_RECORD_US, 7 * _RECORD_US] * 40)[1] == ""  # a record lost after every second
    watch = ClockWatch(RATE_HZ)
    skipping = [replace(r, number=2 * r.number) for r in _records([2 * _RECORD_US] * 40)]
    assert [watch.push(record, "a") for record in skipping] == [""] * 41


def test_what_a_file_did_is_not_held_against_the_next() -> None:
    watch = ClockWatch(RATE_HZ)
    bad = [watch.push(record, "a") for record in _records([record_us(48_000)] * 6)]
    good = [watch.push(record, "b") for record in _records([_RECORD_US] * 6, number=7)]
    assert bad[-1] and not any(good)


def test_a_whole_file_is_refused_in_the_same_words(tmp_path: Path) -> None:
    steps = np.full(30, round(record_us(22_000)))
    times = to_us(BEGIN) + np.cumsum(steps)
    samples = np.random.default_rng(1).integers(-99, 99, 30 * 4096).astype(np.int32)
    path = write_feed(tmp_path, encode_records(samples, begins_us=times, first_number=1))
    with pytest.raises(acoio.DataError) as refused:
        acoio.read(path)
    assert str(refused.value) == f"{path}: {clock_fault(steps.tolist()[1:], RATE_HZ)}"
