"""Sound → windows: rolling STFT, log-frequency bands, levels above the recent past.

Everything here has finite memory and fixed block sizes, so that what comes out
does not depend on how the sound was cut: frames lie on records (4096 samples are
a whole number of hops), windows begin at the first record at or after each step
of UTC, and each block of frames is transformed in a call of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from acoio.clock import MEMORY_RECORDS, from_us, record_us
from acoio.errors import SetupError
from acoio.header import RECORD_SAMPLES
from acoio.sound import Sound
from detector.values import Window

_BLOCK_FRAMES: Final = 32
_QUANTISATION_COUNTS2: Final = 1 / 12  # variance of rounding to whole counts
_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureSettings:
    """How windows are made of sound; a model is good for one setting only.

    `past_records` is the recent past that each band is levelled against: its
    median is the background, and the distance from there down to its
    `quiet_quantile` is the spread.  Looking only at the quiet half keeps calls
    out of both.
    """

    rate_hz: float = 24_000.0
    frame_samples: int = 4096
    hop_samples: int = 2048
    low_hz: float = 15.0
    high_hz: float = 10_000.0
    bands: int = 96
    window_records: int = 12
    step_s: float = 1.0
    past_records: int = 352
    background_quantile: float = 0.5
    quiet_quantile: float = 0.16

    def __post_init__(self) -> None:
        if RECORD_SAMPLES % self.hop_samples:
            raise SetupError(
                f"hop_samples: found {self.hop_samples}, wanted a divisor of {RECORD_SAMPLES}"
            )
        if not 0 < self.low_hz < self.high_hz <= self.rate_hz / 2:
            raise SetupError(
                f"bands: found {self.low_hz} to {self.high_hz} Hz at {self.rate_hz} Hz"
            )

    @property
    def columns(self) -> int:
        """T, the spectra in a window."""
        return self.window_records * self._columns_per_record

    @property
    def _columns_per_record(self) -> int:
        return RECORD_SAMPLES // self.hop_samples

    @property
    def context_records(self) -> int:
        """How many records before a place decide what is said there.

        One for the overlap of frames, the past, the window, and what the clock
        repair must have heard to tell a gap from a glitch in all of these.
        """
        return MEMORY_RECORDS + 1 + self.past_records + self.window_records

    @property
    def context_s(self) -> float:
        """*C*: the seconds of sound that a score depends on."""
        return self.context_records * record_us(self.rate_hz) / 1e6

    @cached_property
    def band_bins(self) -> NDArray[np.intp]:
        """First bin of each band and, last, the bin after all of them, (F + 1,)."""
        width_hz = self.rate_hz / self.frame_samples
        first = max(int(np.ceil(self.low_hz / width_hz)), 1)
        last = int(self.high_hz / width_hz) + 1
        return _log_edges(first, last, self.bands)

    @cached_property
    def band_edges_hz(self) -> NDArray[np.float64]:
        """Edges of the bands, (F + 1,) Hz."""
        return (self.band_bins - 0.5) * self.rate_hz / self.frame_samples


def _log_edges(first: int, last: int, bands: int) -> NDArray[np.intp]:
    """Return `bands + 1` rising bins, as even in log frequency as whole bins allow."""
    if bands > last - first:
        raise SetupError(f"bands: found {bands}, wanted at most {last - first} (one bin each)")
    edges = [first]
    for left in range(bands, 0, -1):
        ideal = edges[-1] * (last / edges[-1]) ** (1 / left)
        edges.append(max(round(ideal), edges[-1] + 1))
    return np.asarray(edges, np.intp)


class BandLevels:
    """Samples → band levels in dB re 1 count²/Hz, two spectra or more a record.

    The first difference of the samples is transformed, and its known response
    taken out again: a swell a hundred times stronger than the sound would leak
    from 0.1 Hz over every band up to 100 Hz.  The recorder's own rounding is the
    lowest level there is.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        n, rate_hz = settings.frame_samples, settings.rate_hz
        self._frame, self._hop = n, settings.hop_samples
        taper = scipy.signal.get_window("hann", n).astype(np.float32)
        self._taper = taper
        first, last = int(settings.band_bins[0]), int(settings.band_bins[-1])
        # Noise reaches a bin through the taper's main lobe from its neighbours too:
        # 1/6, 2/3 and 1/6 of the power for Hann's.
        difference = 4 * np.sin(np.pi * np.arange(first - 1, last + 1) / n) ** 2
        response = (difference[:-2] + 4 * difference[1:-1] + difference[2:]) / 6
        density = 2 / (rate_hz * float(np.sum(taper.astype(np.float64) ** 2)))
        self._bins = slice(first, last)
        self._weight = (density / response).astype(np.float32)
        self._starts = settings.band_bins[:-1] - first
        self._widths = np.diff(settings.band_bins).astype(np.float32)
        self._floor = np.float32(2 * _QUANTISATION_COUNTS2 / rate_hz)

    def __call__(self, samples: NDArray[np.int32]) -> _Floats:
        """Return levels, `(1 + frame + (m - 1) * hop,) → (m, F)` dB re 1 count²/Hz."""
        steps = np.subtract(samples[1:], samples[:-1], dtype=np.int64).astype(np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(steps, self._frame)[:: self._hop]
        levels = np.empty((len(frames), len(self._starts)), np.float32)
        for k in range(0, len(frames), _BLOCK_FRAMES):
            levels[k : k + _BLOCK_FRAMES] = self._block(frames[k : k + _BLOCK_FRAMES])
        return levels

    def _block(self, frames: _Floats) -> _Floats:
        block = np.zeros((_BLOCK_FRAMES, self._frame), np.float32)
        np.multiply(frames, self._taper, out=block[: len(frames)])
        spectrum = scipy.fft.rfft(block, axis=1, overwrite_x=True)[:, self._bins]
        power = (spectrum.real**2 + spectrum.imag**2) * self._weight
        mean = np.add.reduceat(power, self._starts, axis=1) / self._widths
        return (10 * np.log10(mean + self._floor))[: len(frames)]


@dataclass
class _Past:
    """Columns and record times since the last gap, as far back as is needed."""

    columns: _Floats
    marks_us: NDArray[np.int64]
    files: list[str] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)


class RollingFeatures:
    """A stage with memory: sound in, windows out, over file borders.

    `push` takes whole records that follow each other; `reset` stands for a gap,
    after which windows come again once *C* seconds of sound have been heard.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        self._settings = settings
        self._levels = BandLevels(settings)
        self._step_us = round(settings.step_s * 1e6)
        self._overlap = settings.frame_samples - settings.hop_samples + 1
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sound follows a gap."""
        self._tail: NDArray[np.int32] | None = None
        per_record = RECORD_SAMPLES // self._settings.hop_samples
        self._past = _Past(
            np.empty((0, per_record, self._settings.bands), np.float32), np.empty(0, np.int64)
        )

    def push(self, sound: Sound) -> list[Window]:
        """Return the windows that this sound completes.

        Raises
        ------
        SetupError
            If the sound has another sampling rate than the settings.
        """
        if sound.rate_hz != self._settings.rate_hz:
            raise SetupError(f"rate: found {sound.rate_hz} Hz, wanted {self._settings.rate_hz} Hz")
        known = len(self._past.marks_us)
        self._remember(sound)
        windows = [self._window(k) for k in self._begins(known)]
        self._forget()
        return windows

    def _remember(self, sound: Sound) -> None:
        samples, skipped = sound.samples, 0
        if self._tail is None:
            # The first record after a gap only fills the overlap of the frames.
            skipped = 1
        else:
            samples = np.concatenate((self._tail, samples))
        self._tail = sound.samples[-self._overlap :]
        if skipped:
            samples = samples[RECORD_SAMPLES - self._overlap :]
        records = len(sound.marks_us) - skipped
        past = self._past
        if records:
            columns = self._levels(samples).reshape(records, -1, self._settings.bands)
            past.columns = np.concatenate((past.columns, columns))
        past.marks_us = np.concatenate((past.marks_us, sound.marks_us[skipped:]))
        past.files += [sound.file] * records
        first = sound.sample + skipped * RECORD_SAMPLES
        past.samples += range(first, first + records * RECORD_SAMPLES, RECORD_SAMPLES)

    def _begins(self, known: int) -> list[int]:
        """Return the records that begin a window which is whole now and was not before."""
        need, past = self._settings.window_records, self._settings.past_records
        steps = self._past.marks_us // self._step_us
        first = max(known - need + 1, past, 1)
        last = len(steps) - need + 1
        return [k for k in range(first, last) if steps[k] > steps[k - 1]]

    def _window(self, k: int) -> Window:
        s, past = self._settings, self._past
        background_db, quiet_db = self._background(past.columns[k - s.past_records : k])
        block = past.columns[k : k + s.window_records].reshape(s.columns, s.bands)
        end_us = int(past.marks_us[k + s.window_records - 1]) + round(record_us(s.rate_hz))
        return Window(
            begin=from_us(int(past.marks_us[k])),
            end=from_us(end_us),
            excess_db=np.ascontiguousarray((block - background_db).T),
            spread_db=background_db - quiet_db,
            file=past.files[k],
            sample=past.samples[k],
        )

    def _background(self, past: _Floats) -> tuple[_Floats, _Floats]:
        """Return the background and the quiet level of each band, `(n, c, F) → (F,), (F,)` dB."""
        s = self._settings
        levels = past.mean(axis=1)
        at = [round(q * (len(levels) - 1)) for q in (s.background_quantile, s.quiet_quantile)]
        ordered = np.sort(levels, axis=0)  # faster than a partition at two places
        return ordered[at[0]], ordered[at[1]]

    def _forget(self) -> None:
        keep = self._settings.past_records + self._settings.window_records
        past = self._past
        if len(past.marks_us) > keep:
            past.columns = past.columns[-keep:]
            past.marks_us = past.marks_us[-keep:]
            past.files = past.files[-keep:]
            past.samples = past.samples[-keep:]
