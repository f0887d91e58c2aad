"""The n-bit decoder against a copy of its samples and the plain method, on the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from acoio.unpack import pack, unpack
from benchmarks.timing import Row, median_ms

SAMPLES = 1758 * 4096
WIDTHS = range(8, 25)


def rows() -> Iterator[Row]:
    """Yield the decoder's time at each width, for a file of five minutes."""
    for bits in WIDTHS:
        low, high = -(1 << (bits - 1)), 1 << (bits - 1)
        samples = np.random.default_rng(bits).integers(low, high, SAMPLES).astype(np.int32)
        payload, there = pack(samples, bits), np.zeros_like(samples)
        assert np.array_equal(unpack(payload, bits), samples)
        assert np.array_equal(plain(payload, bits), samples)
        ours_ms = median_ms(partial(unpack, payload, bits))
        copy_ms = median_ms(partial(np.copyto, there, samples))
        plain_ms = median_ms(partial(plain, payload, bits), repeats=3)
        figure = f"{ours_ms:.1f} ms, {ours_ms / copy_ms:.1f} copies, {plain_ms / ours_ms:.0f} ×"
        what = f"decoder, {bits} bits: time, in copies of the samples, against plain `unpackbits`"
        yield what, figure, "8 copies, 20 ×"


def plain(payload: NDArray[np.uint8], bits: int) -> NDArray[np.int32]:
    """Decode by `np.unpackbits` and a sum over the bits, as public readers do."""
    stream = np.unpackbits(payload, bitorder="little").reshape(-1, bits)
    value = np.zeros(len(stream), np.int64)
    for k in range(bits):
        value |= stream[:, k].astype(np.int64) << k
    return (value - (stream[:, -1].astype(np.int64) << bits)).astype(np.int32)
