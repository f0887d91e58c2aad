"""Where headers stand among many places that might hold one, all at once: `walk` for arrays.

Bytes may be damaged so, or made so, that they hold a time at every few of them.  To look at
such places one by one costs a walk 2 s for each megabyte.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.header import BYTES_PER_BIT, EARLIEST_S, HEADER_BYTES, LATEST_S, MAX_BITS

LONGEST_RECORD_US: Final = 2_000_000  # 4096 samples at 2 kHz

_WIDTHS: Final = np.arange(1, MAX_BITS + 1)
_BACK: Final = HEADER_BYTES + BYTES_PER_BIT * _WIDTHS  # bytes of a record of each width
_AT_ONCE: Final = 2048  # places, each with all widths

_Places = NDArray[np.int64]
_Mask = NDArray[np.bool_]


def standing(data: bytes, at: _Places, *, final: bool) -> _Mask:
    """Return at which of some places a header stands, or may turn out to, (n,).

    All hold a time (`timed`).  `data` reaches a record and a header beyond each of them, or to
    the ends of the file; `final` says that it will not grow.
    """
    heads = _Heads(data)
    found = heads.alone(at)
    rest = np.flatnonzero(~found)
    for first in range(0, len(rest), _AT_ONCE):
        k = rest[first : first + _AT_ONCE]
        found[k] = heads.led_to(at[k]) | heads.lead_on(at[k], unknown=not final)
    return found


class _Heads:
    """The headers that might begin at each byte: their words and their sample sizes."""

    def __init__(self, data: bytes) -> None:
        words = np.ndarray((len(data) - 3,), "<u4", data, strides=(1,))
        self._words = np.ascontiguousarray(words)  # at each byte
        self._size = np.frombuffer(data, np.uint8)[HEADER_BYTES - 1 :]

    def alone(self, at: _Places) -> _Mask:
        """Return which are believed by themselves, of those that hold a time, (n,)."""
        number, word4, word8, seconds = (self._words[at + k] for k in (0, 4, 8, 12))
        repeated = (number == word4) | (number == word8)
        pattern = (seconds == number) | (seconds == word4) | (seconds == word8)
        return np.asarray(repeated & ~pattern & self._is_packed(at))

    def led_to(self, at: _Places) -> _Mask:
        """Return to which a header before leads, over samples of some width, (n,)."""
        before = self._words.take(at[:, None] - _BACK, mode="clip")  # (n, widths)
        maybe = before == (self._words[at] - np.uint32(1))[:, None]
        maybe[~self._is_packed(at), :-1] = False  # over unpacked samples alone
        maybe &= at[:, None] >= _BACK
        rows, columns = np.nonzero(maybe)
        first, bits = at[rows] - _BACK[columns], _WIDTHS[columns]
        leads = (self._size[first] == bits) | (bits == MAX_BITS)
        found = np.zeros(len(at), np.bool_)
        found[rows[leads & self._counts_on(first, at[rows])]] = True
        return found

    def lead_on(self, at: _Places, *, unknown: bool) -> _Mask:
        """Return which lead to another, by their sample size or unpacked, (n,)."""
        found = np.zeros(len(at), np.bool_)
        sizes = self._size[at].astype(np.int64)
        for bits in (np.where(self._is_packed(at), sizes, MAX_BITS), np.full(len(at), MAX_BITS)):
            after = at + HEADER_BYTES + BYTES_PER_BIT * bits
            there = np.flatnonzero(after < len(self._size))
            found[after >= len(self._size)] |= unknown
            found[there] |= self._counts_on(at[there], after[there])
        return found

    def _is_packed(self, at: _Places) -> _Mask:
        return np.asarray((self._size[at] >= 1) & (self._size[at] <= MAX_BITS))

    def _counts_on(self, first: _Places, after: _Places) -> _Mask:
        """Return which have the number after another's, and a clock of a record later."""
        follows = self._words[after] == self._words[first] + np.uint32(1)
        k = np.flatnonzero(follows)
        first, after = first[k], after[k]
        seconds = self._words[after + 12].astype(np.int64) - self._words[first + 12]
        ran_us = seconds * 1_000_000 + self._words[after + 16] - self._words[first + 16]
        in_time = (ran_us > 0) & (ran_us <= LONGEST_RECORD_US)
        follows[k] = in_time & self._is_timed(first) & self._is_timed(after)
        return np.asarray(follows)

    def _is_timed(self, at: _Places) -> _Mask:
        seconds, us, ticks = (self._words[at + k] for k in (12, 16, 20))
        century = (seconds >= EARLIEST_S) & (seconds < LATEST_S)
        return np.asarray(century & (us < 1_000_000) & (ticks < 10_000_000))
