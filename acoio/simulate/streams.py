"""Keyed randomness: what is drawn depends on the key alone, not on what was drawn before.

So any piece of the ocean can be made by itself.  Source: the Philox counter-based
generator, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.random import Generator, Philox
from numpy.typing import NDArray

from acoio.clock import TRUE_RATE_HZ
from acoio.header import RECORD_SAMPLES

RATE_HZ: Final = TRUE_RATE_HZ
"""The ocean is made at the recorder's true rate."""

_WORD: Final = 1 << 64


class Stream(IntEnum):
    """What a random number is for; each has its own key."""

    SEA = 1
    SWELL = 2
    DRIFT = 3
    STEPS = 4
    CALLS = 5
    SHIPS = 6
    GEAR = 7
    SHIP_NOISE = 8
    VOICE = 9
    SHAPE = 10
    HISS = 11
    SILENCES = 12
    GUSTS = 13


def keyed(seed: int, stream: Stream, index: int = 0) -> Generator:
    """Return the generator of one key; `index` may be any integer."""
    key = np.array([seed % _WORD, int(stream)], np.uint64)
    counter = np.array([0, 0, 0, index % _WORD], np.uint64)
    return Generator(Philox(key=key, counter=counter))


def white(seed: int, stream: Stream, first_record: int, records: int) -> NDArray[np.float32]:
    """Return white Gaussian noise of unit variance, `→ (records * 4096,)`.

    Each record has its own key: any run of records can be made by itself.
    """
    noise = np.empty((records, RECORD_SAMPLES), np.float32)
    for k, row in enumerate(noise):
        keyed(seed, stream, first_record + k).standard_normal(out=row, dtype=np.float32)
    return noise.reshape(-1)
