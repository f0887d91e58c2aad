"""A simulated ocean: any piece of it by itself, the same however it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from acoio.clock import from_us, to_us
from acoio.header import RECORD_SAMPLES
from acoio.simulate.calls import CALLS
from acoio.simulate.gear import GEAR
from acoio.simulate.hydrophone import Hydrophone
from acoio.simulate.schedule import BIN_SAMPLES, REACH_BINS, Cue, begins, cues
from acoio.simulate.settings import OceanSettings
from acoio.simulate.sounding import Maker, Sounding, at_level, band_of
from acoio.simulate.sources import SHIP_BAND_HZ, Ship, sea, ship
from acoio.simulate.streams import RATE_HZ, Stream, keyed
from acoio.simulate.swell import THUMP_BAND_HZ, THUMP_S, Step, swell
from acoio.simulate.truth import Kind, Truth

BLOCK_RECORDS: Final = 64
"""The ocean is made in blocks of 11 s: the filter's memory is 1 part in 64 of the work."""


class Source(Protocol):
    """What adds its sound to the blocks between its first sample and its last."""

    @property
    def begin(self) -> int:
        """The first sample."""

    @property
    def end(self) -> int:
        """The sample after the last one."""

    def add_to(self, block: NDArray[np.float32], first: int) -> None:
        """Add the sound to a block that begins at sample `first`."""


class Ocean:
    """An ocean from `begin` on; a pure function of the seed, the begin and the settings.

    Records are counted from 0 at `begin`, and last as the recorder's do.
    """

    def __init__(self, seed: int, begin: datetime, settings: OceanSettings | None = None) -> None:
        self.seed, self.begin = seed, begin
        self.settings = settings or OceanSettings()
        told = self.settings
        self._sea = sea(seed, told.background_rms, rise_db=told.rise_db, gusts_db=told.gusts_db)
        failing = self.settings.failing
        self._hydrophone = Hydrophone(seed, failing) if failing else None
        self._swell = swell(seed, self.settings.swell_rms)
        self._block = lru_cache(2)(self._make_block)
        self._ships = lru_cache(16)(self._make_ships)
        self._soundings = lru_cache(2 * REACH_BINS)(self._make_soundings)

    def piece(self, first_record: int, records: int) -> NDArray[np.int32]:
        """Return any run of records in counts, `→ (records * 4096,)`."""
        if first_record < 0 or records < 0:
            raise ValueError(f"records: found {records} from {first_record}, wanted 0 or more")
        sound = np.empty((records, RECORD_SAMPLES), np.int32)
        last = first_record + records
        for index in range(first_record // BLOCK_RECORDS, -(-last // BLOCK_RECORDS)):
            begin = index * BLOCK_RECORDS
            low, high = max(begin, first_record), min(begin + BLOCK_RECORDS, last)
            sound[low - first_record : high - first_record] = self._block(index)[
                low - begin : high - begin
            ]
        return sound.reshape(-1)

    def truth(self, seconds: float) -> tuple[Truth, ...]:
        """Return what begins to be heard within `seconds` of the ocean's begin, in order."""
        bins = range(int(seconds * RATE_HZ) // BIN_SAMPLES + 1)
        truths = [self._told(s) for b in bins for s in self._soundings(b)]
        truths += [self._told_ship(s) for b in bins for s in self._ships(b)]
        truths += [t for b in bins for s in self._steps(b) for t in self._told_step(s)]
        end = self._when(seconds * RATE_HZ)
        return tuple(sorted((t for t in truths if t.begin < end), key=lambda t: t.begin))

    def background_power(self, low_hz: float, high_hz: float, second: float) -> float:
        """Return the power of sea and ships in a band at a time, in counts²."""
        sample = int(second * RATE_HZ)
        ships = (s for s in self._near_ships(sample, sample + 1))
        power = self._sea.band_power(low_hz, high_hz, second)
        return power + sum(s.band_power(low_hz, high_hz, second) for s in ships)

    def _make_block(self, index: int) -> NDArray[np.int32]:
        record = index * BLOCK_RECORDS
        if self._hydrophone:
            block = self._hydrophone.hear(self._water, record, BLOCK_RECORDS)
        else:
            block = self._water(record, BLOCK_RECORDS)
        return np.rint(block).astype(np.int32).reshape(BLOCK_RECORDS, RECORD_SAMPLES)

    def _water(self, record: int, records: int) -> NDArray[np.float32]:
        """Return what sounds in the water, `→ (records * 4096,)` counts."""
        block = self._swell.at(record, records)
        block += self._sea.at(record, records)
        first = record * RECORD_SAMPLES
        end = first + len(block)
        for source in self._sources(first, end):
            if source.begin < end and source.end > first:
                source.add_to(block, first)
        return block

    def _sources(self, first: int, end: int) -> Iterator[Source]:
        for bin_index in _bins_reaching(first, end):
            yield from self._ships(bin_index)
            yield from self._soundings(bin_index)
            yield from self._steps(bin_index)

    def _near_ships(self, first: int, end: int) -> tuple[Ship, ...]:
        ships = (s for b in _bins_reaching(first, end) for s in self._ships(b))
        return tuple(s for s in ships if s.begin < end and s.end > first)

    def _make_ships(self, bin_index: int) -> tuple[Ship, ...]:
        rng = keyed(self.seed, Stream.SHIPS, bin_index)
        return tuple(
            ship(rng, begin, sea=self._sea, snr_db=float(rng.choice(self.settings.ship_snr_db)))
            for begin in begins(rng, bin_index, self.settings.ships_per_hour)
        )

    def _make_soundings(self, bin_index: int) -> tuple[Sounding, ...]:
        kinds = self.settings.call_kinds
        rate = self.settings.calls_per_hour / len(kinds)
        calls = [
            self._sounding(cue, CALLS[kind], "call", self.settings.snr_db)
            for kind in kinds
            for cue in cues(self.seed, bin_index, kind, rate)
        ]
        rng = keyed(self.seed, Stream.GEAR, bin_index)
        for begin in begins(rng, bin_index, self.settings.gear_per_hour):
            label = str(rng.choice(list(GEAR)))
            cue = Cue(begin, label, *rng.integers(1 << 62, size=2).tolist())
            calls.append(self._sounding(cue, GEAR[label], "gear", self.settings.gear_snr_db))
        return tuple(calls)

    def _sounding(self, cue: Cue, maker: Maker, kind: Kind, choices: tuple[float, ...]) -> Sounding:
        voice = keyed(cue.voice, Stream.VOICE)
        shape = keyed(cue.shape, Stream.SHAPE)
        waveform, snr_db = maker(voice, shape), float(shape.choice(choices))
        low_hz, high_hz = band_of(waveform)
        middle_s = (cue.begin + 0.5 * len(waveform)) / RATE_HZ
        power = self.background_power(low_hz, high_hz, middle_s) * 10.0 ** (snr_db / 10.0)
        waveform = at_level(waveform, power)
        return Sounding(cue.begin, waveform, low_hz, high_hz, cue.label, kind, snr_db)

    def _steps(self, bin_index: int) -> tuple[Step, ...]:
        rng = keyed(self.seed, Stream.STEPS, bin_index)
        rate = self.settings.dc_steps_per_hour
        return tuple(
            Step(begin, begin + round(rng.uniform(20.0, 600.0) * RATE_HZ), rng.normal(0.0, 2000.0))
            for begin in begins(rng, bin_index, rate)
        )

    def _told(self, s: Sounding) -> Truth:
        return Truth(
            self._when(s.begin), self._when(s.end), s.low_hz, s.high_hz, s.label, s.snr_db, s.kind
        )

    def _told_ship(self, s: Ship) -> Truth:
        begin, end = (self._when(edge) for edge in s.heard())
        return Truth(begin, end, *SHIP_BAND_HZ, "ship", s.snr_db, "ship")

    def _told_step(self, s: Step) -> Iterator[Truth]:
        """Yield the two edges of an offset; each is heard as a thump."""
        height_db = 20.0 * np.log10(abs(s.counts) / self.settings.background_rms)
        for edge in (s.begin, s.end):
            span = (self._when(edge), self._when(edge + THUMP_S * RATE_HZ))
            yield Truth(*span, *THUMP_BAND_HZ, "dc_step", round(float(height_db), 1), "gear")

    def _when(self, sample: float) -> datetime:
        return from_us(to_us(self.begin) + round(sample / RATE_HZ * 1e6))


def _bins_reaching(first: int, end: int) -> range:
    """Return the bins whose sounds can be heard from sample `first` up to `end`."""
    return range(max(0, first // BIN_SAMPLES - REACH_BINS), (end - 1) // BIN_SAMPLES + 1)
