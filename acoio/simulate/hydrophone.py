"""A hydrophone that dies: it hears less, hisses and hums more, and falls silent now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from acoio.header import RECORD_SAMPLES
from acoio.simulate.schedule import BIN_S, BIN_SAMPLES, begins
from acoio.simulate.spectrum import MONTH_S, Table, level_at
from acoio.simulate.streams import RATE_HZ, Stream, keyed, white

_Samples: TypeAlias = NDArray[np.float32]
_HUM_HZ: Final = 60.0
_HARMONICS: Final = (1, 2, 3, 5)  # of the mains, each 6 dB below the one before
_LONGEST_S: Final = 5.0  # of a silence
_MARGIN: Final = 1  # record on each side: longer than the filter is heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """How a hydrophone is after 30 days; until then all of it grows evenly from nothing.

    `loss_db` is what it hears less, (Hz, dB) each, the low bands first; `hiss_rms` and
    `hum_rms` are its own noises in counts, which grow by as many dB each day, from 40 dB
    below; the rate of silences grows with the square of time.
    """

    loss_db: Table = ((15.0, 40.0), (100.0, 30.0), (1000.0, 12.0), (10_000.0, 3.0))
    hiss_rms: float = 400.0
    hum_rms: float = 800.0
    silences_per_hour: float = 120.0


@dataclass(frozen=True, eq=False)
class Hydrophone:
    """What a failing hydrophone makes of the sound in the water; pure in seed and time."""

    seed: int
    failing: Failing

    def hear(self, water: Callable[[int, int], _Samples], record: int, records: int) -> _Samples:
        """Return a block in counts; `water` gives any records of the sound around it."""
        age = record * RECORD_SAMPLES / RATE_HZ / MONTH_S
        margin = _MARGIN * RECORD_SAMPLES
        heard = self._filtered(water(record - _MARGIN, records + 2 * _MARGIN), age)[margin:-margin]
        own = 10.0 ** (-40.0 * (1.0 - age) / 20.0)
        heard += np.float32(own * self.failing.hiss_rms) * white(
            self.seed, Stream.HISS, record, records
        )
        heard += np.float32(own * self.failing.hum_rms) * _hum(record, records)
        for begin, end in self._silences(record * RECORD_SAMPLES, len(heard)):
            heard[begin:end] = 0.0
        return heard

    def _filtered(self, sound: _Samples, age: float) -> _Samples:
        """Return the sound with what is lost by that age, in months, and no delay."""
        size = scipy.fft.next_fast_len(len(sound), real=True)
        hz = np.fft.rfftfreq(size, 1.0 / RATE_HZ)
        gain = 10.0 ** (-age * level_at(self.failing.loss_db, hz) / 20.0)
        spectrum = scipy.fft.rfft(sound, size) * gain.astype(np.float32)
        return np.asarray(scipy.fft.irfft(spectrum, size)[: len(sound)], np.float32)

    def _silences(self, first: int, count: int) -> list[tuple[int, int]]:
        """Return from where to where a block of samples is silent."""
        longest = round(_LONGEST_S * RATE_HZ)
        found = []
        for index in range((first - longest) // BIN_SAMPLES, (first + count) // BIN_SAMPLES + 1):
            rng = keyed(self.seed, Stream.SILENCES, index)
            age = max(index, 0) * BIN_S / MONTH_S
            starts = begins(rng, index, self.failing.silences_per_hour * age**2)
            for start, length in zip(starts, rng.integers(1, longest, len(starts)), strict=True):
                low, high = max(start - first, 0), min(start + int(length) - first, count)
                found.append((low, max(low, high)))
        return found


def _hum(record: int, records: int) -> _Samples:
    """Return hum of unit rms."""
    time_s = np.arange(record * RECORD_SAMPLES, (record + records) * RECORD_SAMPLES) / RATE_HZ
    amplitude = 0.5 ** np.arange(len(_HARMONICS))
    amplitude *= np.sqrt(2.0 / np.sum(amplitude**2))
    sound = np.zeros(len(time_s), np.float32)
    for n, a in zip(_HARMONICS, amplitude, strict=True):
        turns = np.mod(n * _HUM_HZ * time_s, 1.0).astype(np.float32)
        sound += np.float32(a) * np.cos(np.float32(2 * np.pi) * turns)
    return sound
