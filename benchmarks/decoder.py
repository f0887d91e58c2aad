"""The n-bit decoder against the plain method, on the same bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from acoio.unpack import pack, unpack

SAMPLES = 1758 * 4096
REPEATS = 5


def plain(payload: NDArray[np.uint8], bits: int) -> NDArray[np.int32]:
    """Decode by `np.unpackbits` and a sum over the bits, as public readers do."""
    stream = np.unpackbits(payload, bitorder="little").reshape(-1, bits)
    value = np.zeros(len(stream), np.int64)
    for k in range(bits):
        value |= stream[:, k].astype(np.int64) << k
    return (value - (stream[:, -1].astype(np.int64) << bits)).astype(np.int32)


def decoder_ms(bits: int) -> tuple[float, float]:
    """Return the median milliseconds of ours and of the plain method for five minutes."""
    low, high = -(1 << (bits - 1)), 1 << (bits - 1)
    samples = np.random.default_rng(bits).integers(low, high, SAMPLES).astype(np.int32)
    payload = pack(samples, bits)
    assert np.array_equal(unpack(payload, bits), samples)
    assert np.array_equal(plain(payload, bits), samples)
    return _median_ms(lambda: unpack(payload, bits)), _median_ms(lambda: plain(payload, bits))


def _median_ms(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(REPEATS):
        begin_s = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - begin_s))
    return statistics.median(spent)
