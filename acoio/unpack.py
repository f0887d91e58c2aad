"""n-bit two's complement samples ↔ int32, 1 to 32 bits.

Samples lie one after the other in a least-significant-bit-first stream, so
eight samples fill exactly `bits` bytes.  Sample j of each group of eight begins
at bit `j * bits`; one unaligned little-endian word read there holds it, and two
shifts take it out with its sign.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WORD_BITS = 32
_WHOLE_BYTES = (8, 16, 32)  # these need no shifting
_GROUPS_AT_ONCE = 32768  # 256 Ki samples: the work stays in cache, and calls are few


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
    samples = np.empty((groups, 8), np.int32)
    padded = np.empty(payload.size + 8, np.uint8)
    padded[: payload.size] = payload
    padded[payload.size :] = 0
    shifted = np.empty(min(groups, _GROUPS_AT_ONCE), np.int64)
    for first in range(0, groups, _GROUPS_AT_ONCE):
        part = samples[first : first + _GROUPS_AT_ONCE]
        _unpack_groups(padded[first * bits :], bits, part, shifted[: len(part)])
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
    if not 1 <= bits <= _WORD_BITS:
        raise ValueError(f"sample size: found {bits} bits, wanted 1 to {_WORD_BITS}")
    if size_bytes % bits:
        raise ValueError(f"payload: found {size_bytes} bytes, wanted a multiple of {bits}")
    return size_bytes // bits


def _unpack_groups(
    payload: NDArray[np.uint8], bits: int, out: NDArray[np.int32], room: NDArray[np.int64]
) -> None:
    """Write whole groups of eight to `out` (m, 8); `room` (m,) is for the work."""
    for j in range(8):
        byte, shift = divmod(j * bits, 8)
        size = 64 if shift + bits > _WORD_BITS else _WORD_BITS
        words = np.ndarray((len(out),), f"<i{size // 8}", payload, offset=byte, strides=(bits,))
        top = room.view(f"i{size // 8}")[: len(out)]
        np.left_shift(words, size - shift - bits, out=top)
        np.right_shift(top, size - bits, out=out[:, j], casting="unsafe")


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
