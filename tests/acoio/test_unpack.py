"""n-bit samples: the stream is least significant bit first, two's complement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from acoio.unpack import pack, unpack, width_of


def by_single_bits(payload: NDArray[np.uint8], bits: int) -> NDArray[np.int64]:
    """Unpack as the format's description reads: bit by bit, then the sign."""
    stream = np.unpackbits(payload, bitorder="little").reshape(-1, bits).astype(np.int64)
    value = stream @ (1 << np.arange(bits, dtype=np.int64))
    return np.asarray(value - (stream[:, -1] << bits))


@given(bits=st.integers(1, 32), groups=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_unpacking_agrees_with_reading_single_bits(bits: int, groups: int, seed: int) -> None:
    payload = np.random.default_rng(seed).integers(0, 256, groups * bits, dtype=np.uint8)
    assert np.array_equal(unpack(payload, bits), by_single_bits(payload, bits))


@given(bits=st.integers(1, 32), groups=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_packing_and_unpacking_give_the_samples_back(bits: int, groups: int, seed: int) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    generator = np.random.default_rng(seed)
    samples = generator.integers(low, high, 8 * groups, endpoint=True).astype(np.int32)
    samples[:2] = low, high
    packed = pack(samples, bits)
    assert packed.size == groups * bits
    assert np.array_equal(unpack(packed, bits), samples)


@pytest.mark.parametrize("groups", [2 * 32768, 2 * 32768 + 1])
@pytest.mark.parametrize("bits", [13, 24, 31])
def test_blocks_of_the_work_leave_no_seam(bits: int, groups: int) -> None:
    samples = np.random.default_rng(1).integers(-4096, 4096, 8 * groups).astype(np.int32)
    assert np.array_equal(unpack(pack(samples, bits), bits), samples)


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-2, 1, 2), (-129, 0, 9)]
)
def test_the_width_is_the_smallest_that_holds_every_sample(low: int, high: int, bits: int) -> None:
    assert width_of(np.array([low, high])) == bits


@pytest.mark.parametrize("bits", [0, 33, 77, -1])
def test_a_width_that_cannot_be_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match=f"found {bits} bits, wanted 1 to 32"):
        unpack(np.zeros(512, np.uint8), bits)


def test_a_payload_of_part_of_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="found 14 bytes, wanted a multiple of 13"):
        unpack(np.zeros(14, np.uint8), 13)


def test_a_sample_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="need 9 bits, found 8"):
        pack(np.full(8, 128, np.int32), 8)
