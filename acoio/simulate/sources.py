"""What sounds besides whales: the sea's own drifting noise, and ships that pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from acoio.header import RECORD_SAMPLES
from acoio.simulate.spectrum import MONTH_S, Shaper, Table, sea_shaper, shape, shaper
from acoio.simulate.streams import RATE_HZ, Stream, keyed, white

LEVEL_DB: Final = 2.0  # the background strays this far from its mean at most
_TILT_DB: Final = 0.5  # and tilts this much per decade at most, about 1 kHz
_GUST_S: Final = 2.0
_HOUR_S: Final = 3600.0
SHIP_BAND_HZ: Final = (30.0, 1000.0)
_Curve = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Drift:
    """A slow wander within −1 to 1: three sines with periods of tens of minutes."""

    period_s: _Curve
    phase: _Curve

    def at(self, second: _Curve | float) -> _Curve:
        """Return the wander at times after the ocean's begin, `(n,) s → (n,)`."""
        turns = np.asarray(second)[..., None] / self.period_s
        return np.asarray(np.mean(np.sin(2 * np.pi * turns + self.phase), axis=-1))


def drift(seed: int, index: int) -> Drift:
    """Return one of the wanders of a seed."""
    rng = keyed(seed, Stream.DRIFT, index)
    return Drift(rng.uniform(900.0, 4500.0, 3), rng.uniform(0.0, 2 * np.pi, 3))


@dataclass(frozen=True, eq=False)
class Sea:
    """The background: shaped noise of an rms in counts, whose level and tilt drift slowly.

    Besides it rises by `rise_db` a month, (Hz, dB) each, and grows gusty: `gusts_db` is
    how far its level strays within seconds after a month, as a standard deviation.
    """

    seed: int
    rms: float
    level: Drift
    tilt: Drift
    rise_db: Table = ()
    gusts_db: float = 0.0

    def at(self, first_record: int, records: int) -> NDArray[np.float32]:
        """Return the background in counts, `→ (records * 4096,)`."""
        noise = white(self.seed, Stream.SEA, first_record - 1, records + 1)
        begin_s = first_record * RECORD_SAMPLES / RATE_HZ
        even, tilted = shape(noise, *_shapers(self.rms, self._risen_db(begin_s)))
        second = np.arange(first_record, first_record + records + 1) * (RECORD_SAMPLES / RATE_HZ)
        tilt = _between_records(self.tilt.at(second))
        return _between_records(self._gain(second)) * (even + tilt * (tilted - even))

    def band_power(self, low_hz: float, high_hz: float, second: float) -> float:
        """Return the background's power in a band at a time, in counts²."""
        tilt = float(self.tilt.at(second))
        even, tilted = _shapers(self.rms, self._risen_db(second))
        mixed = Shaper((1 - tilt) * even.taps + tilt * tilted.taps)
        return mixed.band_power(low_hz, high_hz) * float(self._gain(second)) ** 2

    def _risen_db(self, second: float) -> Table:
        """Return how much it has risen by a time, in steps of an hour: some hundredths of a dB."""
        months = second // _HOUR_S * _HOUR_S / MONTH_S
        return tuple((hz, months * level_db) for hz, level_db in self.rise_db)

    def _gain(self, second: _Curve | float) -> _Curve:
        stray_db = LEVEL_DB * self.level.at(second)
        if self.gusts_db:
            stray_db += self.gusts_db * np.asarray(second) / MONTH_S * _gusts(self.seed, second)
        return np.asarray(10.0 ** (stray_db / 20.0))


def sea(seed: int, rms: float, *, rise_db: Table = (), gusts_db: float = 0.0) -> Sea:
    """Return the background of a seed with a mean rms in counts, which may change in months."""
    return Sea(seed, rms, drift(seed, 0), drift(seed, 1), rise_db, gusts_db)


def _gusts(seed: int, second: _Curve | float) -> _Curve:
    """Return gusts at times, `(n,) s → (n,)`: straight lines between normal numbers."""
    knot = np.asarray(second) / _GUST_S
    known = np.arange(np.floor(knot.min()), np.floor(knot.max()) + 2)
    heights = [keyed(seed, Stream.GUSTS, int(k)).standard_normal() for k in known]
    return np.asarray(np.interp(knot, known, heights))


@lru_cache(8)
def _shapers(rms: float, risen_db: Table) -> tuple[Shaper, Shaper]:
    """Return the filters of the background, even and tilted."""
    return (
        sea_shaper(rms, risen_db=risen_db),
        sea_shaper(rms, tilt_db=_TILT_DB, risen_db=risen_db),
    )


@dataclass(frozen=True, eq=False)
class Ship:
    """A ship that passes: noise with a broad spectrum and tonal lines, louder when near.

    `begin` and `end` are samples; `line_hz` and `line_amplitude` are (L,), at its
    nearest; `doppler` is by which part its lines fall while it passes.
    """

    seed: int
    begin: int
    end: int
    noise: Shaper
    line_hz: _Curve
    line_amplitude: _Curve
    doppler: float
    snr_db: float

    def heard(self) -> tuple[int, int]:
        """Return the samples between which it is within 12 dB of its nearest."""
        edge = round((self.end - self.begin) * np.arcsin(np.sqrt(0.25)) / np.pi)
        return self.begin + edge, self.end - edge

    def nearness(self, sample: _Curve) -> _Curve:
        """Return its amplitude re its nearest, 0 to 1, `(n,) samples → (n,)`."""
        u = np.clip((sample - self.begin) / (self.end - self.begin), 0.0, 1.0)
        return np.asarray(np.sin(np.pi * u) ** 2)

    def add_to(self, block: NDArray[np.float32], first: int) -> None:
        """Add the ship to a block of whole records that begins at sample `first`."""
        record, records = first // RECORD_SAMPLES, len(block) // RECORD_SAMPLES
        edges = first + np.arange(records + 1) * float(RECORD_SAMPLES)
        near = _between_records(self.nearness(edges))
        (broad,) = shape(white(self.seed, Stream.SHIP_NOISE, record - 1, records + 1), self.noise)
        block += near * (broad + self._lines(first, len(block)))

    def band_power(self, low_hz: float, high_hz: float, second: float) -> float:
        """Return the ship's power in a band at a time, in counts²."""
        within = (self.line_hz >= low_hz) & (self.line_hz <= high_hz)
        lines = 0.5 * float(np.sum(self.line_amplitude[within] ** 2))
        near = float(self.nearness(np.asarray(second * RATE_HZ)))
        return near**2 * (self.noise.band_power(low_hz, high_hz) + lines)

    @cached_property
    def _middle(self) -> float:
        return 0.5 * (self.begin + self.end)

    def _lines(self, first: int, count: int) -> NDArray[np.float32]:
        """Return the lines; their phase is the integral of f (1 − d tanh(t / T))."""
        scale_s = (self.end - self.begin) / RATE_HZ / 8.0
        time_s = (first - self._middle + np.arange(count)) / RATE_HZ
        slowed_s = time_s - self.doppler * scale_s * _log_cosh(time_s / scale_s)
        sound = np.zeros(count, np.float32)
        for hz, amplitude in zip(self.line_hz, self.line_amplitude, strict=True):
            turns = np.mod(hz * slowed_s, 1.0).astype(np.float32)
            sound += np.float32(amplitude) * np.cos(np.float32(2 * np.pi) * turns)
        return sound


def ship(rng: Generator, begin: int, *, sea: Sea, snr_db: float) -> Ship:
    """Return a ship that comes into hearing at a sample.

    `snr_db` is its power re the sea's, both in `SHIP_BAND_HZ`, at its nearest.
    """
    length = round(rng.uniform(360.0, 1080.0) * RATE_HZ)
    sea_power = sea.band_power(*SHIP_BAND_HZ, (begin + 0.5 * length) / RATE_HZ)
    power = sea_power * 10.0 ** (snr_db / 10.0)
    blade_hz, count = rng.uniform(6.0, 13.0), int(rng.integers(4, 9))
    multiples = np.sort(rng.choice(np.arange(5, 40), count, replace=False))
    share = rng.uniform(0.1, 0.35)  # of the power is in the lines
    weights = rng.exponential(1.0, count)
    return Ship(
        seed=int(rng.integers(1 << 62)),
        begin=begin,
        end=begin + length,
        noise=_ship_noise(rng, power * (1.0 - share)),
        line_hz=blade_hz * multiples,
        line_amplitude=np.sqrt(2.0 * power * share * weights / weights.sum()),
        doppler=rng.uniform(0.001, 0.004),
        snr_db=snr_db,
    )


def _ship_noise(rng: Generator, power: float) -> Shaper:
    """Return the broad part: rising to some 60 Hz, then falling by a drawn slope."""
    fall_db = rng.uniform(6.0, 16.0)  # per decade above 60 Hz
    top_db = -fall_db * np.log10(1000.0 / 60.0)
    levels = [(0.0, -60.0), (15.0, -40.0), (40.0, -6.0), (60.0, 0.0), (150.0, 0.4 * top_db)]
    levels += [(400.0, 0.7 * top_db), (1000.0, top_db), (2000.0, top_db - 25.0)]
    found = shaper([*levels, (12_001.0, top_db - 70.0)], 1.0)
    scale = np.sqrt(power / found.band_power(*SHIP_BAND_HZ))
    return Shaper((found.taps * scale).astype(np.float32))


def _between_records(edges: _Curve) -> NDArray[np.float32]:
    """Return straight lines between values at record edges, `(n + 1,) → (n * 4096,)`."""
    ramp = np.arange(RECORD_SAMPLES) / RECORD_SAMPLES
    lines = edges[:-1, None] + np.diff(edges)[:, None] * ramp
    return lines.astype(np.float32).reshape(-1)


def _log_cosh(x: _Curve) -> _Curve:
    return np.asarray(np.logaddexp(x, -x) - np.log(2.0))
