"""Many places are looked at at once as one by one, and a walk over any bytes is bounded by them."""

from __future__ import annotations

import random
import struct
import time

import numpy as np
import pytest

from acoio.header import HEADER_BYTES, OLD, timed
from acoio.reader import fetch_chunk
from acoio.standing import standing
from acoio.walk import MemorySource, header_stands
from tests.acoio import fuzz
from tests.acoio.feeds import RATE_HZ

_SECOND = 1_540_000_000
_MB = 1 << 20


def _likely(data: bytes) -> np.ndarray:
    heads = np.ndarray((len(data) - HEADER_BYTES + 1,), OLD, data, strides=(1,))
    return np.flatnonzero(timed(heads))


def _headers(count: int, *, bits: int, every: int = 1) -> bytes:
    heads = np.zeros(count, OLD)
    heads["Record"], heads["tSec"] = np.arange(count) // every, _SECOND
    heads["tuSec"], heads["SampleSize"] = np.arange(count) * 7 % 1_000_000, bits
    return heads.tobytes()


@pytest.mark.parametrize("seed", range(40))
def test_places_are_judged_at_once_as_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    kinds = [
        rng.choice(fuzz.seeds()),
        _headers(900, bits=rng.choice([0, 1, 9, 32, 33]), every=rng.choice([1, 2, 129])),
        b"".join(struct.pack("<I", rng.choice([_SECOND, 0, 1, 2])) for _ in range(9000)),
    ]
    data = rng.choice(kinds) + rng.choice(kinds)
    at = _likely(data)
    at = np.array(sorted(rng.sample(at.tolist(), min(len(at), 300))))
    source = MemorySource(data)
    assert standing(data, at, final=True).tolist() == [header_stands(source, int(k)) for k in at]


_WORST = {
    "a time at every twelfth byte": struct.pack("<3I", _SECOND, 0, 0) * (_MB // 12),
    "headers that lead nowhere": _headers(_MB // 36, bits=16),
    "headers that each lead on, and lie": _headers(_MB // 36, bits=9, every=129),
    "headers without a size": _headers(_MB // 36, bits=0, every=2),
}


@pytest.mark.parametrize("data", _WORST.values(), ids=_WORST)
def test_a_megabyte_of_what_looks_like_headers_costs_as_much_as_some_sound(data: bytes) -> None:
    """It took 2 s for each; a busy machine may stretch the fifth of a second that is left."""
    begin_s, byte = time.thread_time(), 0
    while (
        chunk := fetch_chunk(lambda k, n: data[k : k + n], byte, rate_hz=RATE_HZ)
    ).next_byte > byte:
        byte = chunk.next_byte
    assert byte > len(data) - 2 * HEADER_BYTES
    assert time.thread_time() - begin_s < 1.0
