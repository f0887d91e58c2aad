"""n-bit two's complement samples ↔ int32, 1 to 32 bits.

Samples lie one after the other in a least-significant-bit-first stream, so
eight samples fill exactly `bits` bytes.  Sample j of each group of eight begins
at bit `j * bits`; one unaligned little-endian word of 64 bits read there holds it
and, up to 15 bits, the next three, or up to 30 the next one.  They are moved apart
to the tops of equal lanes of the word, where one shift leaves each with its sign.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MAX_BITS = 32
_WHOLE_BYTES = (8, 16, 32)  # these need no shifting
_GROUPS_AT_ONCE = 32768  # 256 Ki samples: the work stays in cache, and calls are few
_BEYOND = np.zeros(8, np.uint8)  # the last words reach over the payload's end


def unpack(payload: NDArray[np.uint8], bits: int) -> NDArray[np.int32]:
    """Return the samples of whole groups of eight, `(m * bits,) → (8 * m,)`.

    Raises
    ------
    ValueError
        If `bits` is not 1 to 32 or the payload is no whole number of groups.
    """
    groups = _whole_groups(payload.size, bits)
    if bits in _WHOLE_BYTES:
        return np.ascontiguousarray(payload).view(f"<i{bits // 8}").astype(np.int32)
    payload = np.ascontiguousarray(payload)
    samples = np.empty((groups, 8), np.int32)
    together = _together(bits)
    room = np.empty((2, min(groups, _GROUPS_AT_ONCE)), "<u8")
    work = np.empty((room.shape[1], 8 // together), "<u8")
    for first in range(0, groups, _GROUPS_AT_ONCE):
        part = samples[first : first + _GROUPS_AT_ONCE]
        m = len(part)
        read = payload[first * bits : (first + m) * bits + len(_BEYOND)]
        if first + m == groups:
            read = np.concatenate([read, _BEYOND])
        _to_lanes(read, bits, work[:m], room[:, :m])
        lanes = work[:m].view(f"<i{8 // together}")
        part[:] = np.right_shift(lanes, 64 // together - bits, out=lanes)
    return samples.reshape(-1)


def pack(samples: NDArray[np.integer], bits: int) -> NDArray[np.uint8]:
    """Return the packed bytes of samples, `(8 * m,) → (m * bits,)`.

    Raises
    ------
    ValueError
        If `bits` is not 1 to 32, the count is no multiple of eight, or a sample
        does not fit.
    """
    if samples.size % 8:
        raise ValueError(f"samples: found {samples.size}, wanted a multiple of 8")
    groups = _whole_groups(samples.size // 8 * bits, bits)
    if samples.size and width_of(samples) > bits:
        raise ValueError(f"samples need {width_of(samples)} bits, found {bits}")
    eights = samples.reshape(groups, 8)
    payload = np.empty((groups, bits), np.uint8)
    for first in range(0, groups, _GROUPS_AT_ONCE):
        part = slice(first, first + _GROUPS_AT_ONCE)
        payload[part] = _packed_groups(eights[part], bits)
    return payload.reshape(-1)


def width_of(samples: NDArray[np.integer]) -> int:
    """Return the smallest two's complement width that holds every sample, in bits."""
    low, high = int(samples.min()), int(samples.max())
    return max(high, -low - 1, 0).bit_length() + 1


def _whole_groups(size_bytes: int, bits: int) -> int:
    if not 1 <= bits <= _MAX_BITS:
        raise ValueError(f"sample size: found {bits} bits, wanted 1 to {_MAX_BITS}")
    if size_bytes % bits:
        raise ValueError(f"payload: found {size_bytes} bytes, wanted a multiple of {bits}")
    return size_bytes // bits


def _together(bits: int) -> int:
    """Return how many samples are taken out of one word."""
    return 4 if bits < 16 else 2 if bits < 31 else 1


def _to_lanes(
    payload: NDArray[np.uint8], bits: int, lanes: NDArray[np.uint64], room: NDArray[np.uint64]
) -> None:
    """Write groups of eight to the tops of lanes, (m, words of a group); below them is rest.

    `room` (2, m) is for the work.
    """
    words, lower = room
    together = 8 // lanes.shape[1]
    for k in range(lanes.shape[1]):
        byte, shift = divmod(k * together * bits, 8)
        read = np.ndarray((len(lanes),), "<u8", payload, offset=byte, strides=(bits,))
        np.left_shift(read, 64 - shift - together * bits, out=words)
        count, width = together, 64
        while count > 1:  # halve each lane: of its samples the lower half moves down
            count, width = count // 2, width // 2
            mask = (2**64 - 1) // (2**width + 1)  # the lower half of each lane
            np.right_shift(words, width - count * bits, out=lower)
            np.bitwise_and(lower, mask, out=lower)
            np.bitwise_and(words, mask << width, out=words)
            np.bitwise_or(words, lower, out=words)
        lanes[:, k] = words


def _packed_groups(eights: NDArray[np.integer], bits: int) -> NDArray[np.uint8]:
    """Return groups of eight samples as their bytes, `(m, 8) → (m, bits)`."""
    mask = np.uint64((1 << bits) - 1)
    columns = eights.T.astype(np.int64, order="C").view(np.uint64) & mask
    words = np.zeros((-(-8 * bits // 64), len(eights)), np.uint64)
    for j in range(8):
        k, shift = divmod(j * bits, 64)
        words[k] |= columns[j] << np.uint64(shift)
        if shift + bits > 64:
            words[k + 1] |= columns[j] >> np.uint64(64 - shift)
    return np.ascontiguousarray(words.T).astype("<u8", copy=False).view(np.uint8)[:, :bits]
