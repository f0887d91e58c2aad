"""Sound and Gap: what records become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from acoio import filters as _filters
from acoio import levels as _levels
from acoio import mel as _mel
from acoio import noise as _noise
from acoio import spectra as _spectra
from acoio import spectrogram as _spectrogram
from acoio.clock import ACO_RATIO, from_us, record_us, to_us, true_rate_hz
from acoio.facts import facts
from acoio.header import RECORD_SAMPLES
from acoio.origin import Origin, origins_between
from acoio.wanted import a_duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROUNDING: Final = 1.5e-6  # seconds: marks and times are whole microseconds


@dataclass(frozen=True, slots=True)
class Gap:
    """A span of time without sound, [begin, end), and why, if that is known.

    Where the clock goes back it has no length, and lies where the sound goes on.
    """

    begin: datetime
    end: datetime
    reason: str = ""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.begin).total_seconds()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sound:
    """Samples that follow each other, `(n,)` counts at `rate_hz` from `begin` on.

    `samples` are int32 as recorded, or float32 as filtered.  `marks_us` (m,) int64:
    UTC microseconds of every 4096th sample, by the headers; sample times between
    them are interpolated.  `gaps` lie inside, and samples there are zero.  `file`
    and `sample` say where the first sample came from, `sample` counted at `rate_hz`;
    `later` where stretches after it did, if from elsewhere: `origins` is all of it.
    `clock_ratio` is the true rate over the nominal one: the observatory's recorder was
    measured, others are taken at their word (1).

    The functions of `filters`, `noise`, `spectrogram`, `spectra` and `levels` are
    methods: `sound.highpass(20)`, `sound.power()`.
    """

    samples: NDArray[Any]  # int32 or float32
    rate_hz: float
    marks_us: NDArray[np.int64]
    gaps: tuple[Gap, ...] = field(default=())
    file: str = ""
    sample: int = 0
    later: tuple[Origin, ...] = ()
    clock_ratio: float = ACO_RATIO

    lowpass = _filters.lowpass
    highpass = _filters.highpass
    bandpass = _filters.bandpass
    resample_fs = _filters.resample_fs
    resample = _filters.resample
    normdata = _filters.normdata
    subtract = _noise.subtract
    stft = _spectrogram.stft
    spectrogram = _spectrogram.spectrogram
    logspectrogram = _spectrogram.logspectrogram
    power = _spectra.power
    ltsa = _spectra.ltsa
    mel_spectrogram = _mel.mel_spectrogram
    mfcc = _mel.mfcc
    cepstrum = _spectra.cepstrum
    autocorr = _spectra.autocorr
    levels = _levels.levels
    decidecade_levels = _levels.decidecade_levels

    @property
    def begin(self) -> datetime:
        """UTC time of the first sample."""
        return from_us(int(self.marks_us[0]))

    @property
    def true_rate_hz(self) -> float:
        """How many samples a second has."""
        return true_rate_hz(self.rate_hz, self.clock_ratio)

    @property
    def end(self) -> datetime:
        """UTC time just after the last sample."""
        return self.time_of(len(self.samples))

    @property
    def duration(self) -> timedelta:
        """From `begin` to `end`, by the marks."""
        return self.end - self.begin

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where the stretches of the sound came from, in order, the first from sample 0 on."""
        return Origin(0, self.file, self.sample), *self.later

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that the sound came from, in its order."""
        return tuple(dict.fromkeys(origin.file for origin in self.origins if origin.file))

    def __repr__(self) -> str:
        return f"<Sound {facts(self)}>"

    def time_of(self, k: int) -> datetime:
        """Return the UTC time of sample k, interpolated between the marks."""
        return from_us(int(self.times_us(np.array([k]))[0]))

    def times_us(self, k: NDArray[Any]) -> NDArray[np.int64]:
        """Return the UTC times of samples, whole or not, `(k,) → (k,) µs`."""
        at, times_us = self.knots()
        since = np.interp(k, at, times_us - times_us[0])
        return np.asarray(times_us[0] + np.rint(since).astype(np.int64))

    def index_of(self, when: datetime) -> int:
        """Return the index of the first sample at or after a UTC time, within 0 to n."""
        at, times_us = self.knots()
        k = float(np.interp(to_us(when) - times_us[0], times_us - times_us[0], at))
        return int(np.ceil(k - _ROUNDING * self.rate_hz))

    def knots(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return samples whose time is known, the end among them, and these times, µs."""
        at = np.arange(0, len(self.marks_us) + 1) * RECORD_SAMPLES
        at[-1] = len(self.samples)
        last_us = (at[-1] - at[-2]) / RECORD_SAMPLES * record_us(self.rate_hz, self.clock_ratio)
        return at, np.append(self.marks_us, self.marks_us[-1] + round(last_us))

    def stretches(self) -> list[tuple[int, int]]:
        """Return where sound lies between the gaps: its samples, [first, last)."""
        edges = [k for gap in self.gaps for k in (self.index_of(gap.begin), self.index_of(gap.end))]
        edges = [0, *edges, len(self.samples)]
        return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]

    def __getitem__(self, span: slice) -> Sound:
        """Return the sound of a span of `datetime`, or of `timedelta` since the begin.

        A negative `timedelta` counts from the end, an open edge is the sound's, and
        edges outside are cut to it.  The samples are a view of these.

        Raises
        ------
        IndexError
            If there is no sound in the span, or it has a step.
        TypeError
            If it is not a slice, or an edge is not a time.
        """
        if not isinstance(span, slice):
            raise TypeError(f"index: found {span!r}, wanted a slice of times")
        if span.step is not None:
            raise IndexError(f"slice: found the step {span.step}, wanted none")
        first, last = self._edge(span.start, 0), self._edge(span.stop, len(self.samples))
        if last <= first:
            raise IndexError(
                f"no sound in [{span.start}, {span.stop}) of {self.begin} to {self.end}"
            )
        return self.piece(first, last)

    def piece(self, first: int, last: int) -> Sound:
        """Return samples first to last - 1 as a sound, with the gaps in it."""
        first, last = max(first, 0), min(last, len(self.samples))
        begin, end = self.time_of(first), self.time_of(last)
        inside = (Gap(max(gap.begin, begin), min(gap.end, end)) for gap in self.gaps)
        gaps = tuple(gap for gap in inside if gap.begin < gap.end)
        heard = self.index_of(gaps[0].end) if gaps and gaps[0].begin == begin else first
        origin, *later = origins_between(self.origins, first, min(heard, last - 1), last)
        return Sound(
            samples=self.samples[first:last],
            rate_hz=self.rate_hz,
            marks_us=self.times_us(np.arange(first, last, RECORD_SAMPLES)),
            gaps=gaps,
            file=origin.file,
            sample=origin.sample,
            later=tuple(later),
            clock_ratio=self.clock_ratio,
        )

    def _edge(self, edge: datetime | timedelta | None, default: int) -> int:
        if edge is None:
            return default
        if isinstance(edge, datetime):
            return self.index_of(edge)
        since = a_duration(edge, "slice", "a datetime or a timedelta")
        return self.index_of((self.begin if since >= timedelta() else self.end) + since)

    def count(self, duration: timedelta) -> int:
        """Return how many samples a time lasts, to the nearest, at the true rate."""
        return round(a_duration(duration, "duration").total_seconds() * self.true_rate_hz)

    def chunk(self, duration: timedelta, step: timedelta | None = None) -> Iterator[Sound]:
        """Yield pieces of `duration`, one each `step` (without one: end to end).

        Both are rounded to whole samples, so that all pieces have one length, but for
        the last: the first piece to reach the end is the last, and ends there.
        """
        length, stride = self.count(duration), self.count(duration if step is None else step)
        if length < 1 or stride < 1:
            raise ValueError(f"chunk: found {duration} each {step}, wanted a sample or more")
        for first in range(0, len(self.samples), stride):
            yield self.piece(first, first + length)
            if first + length >= len(self.samples):
                return

    def random_sample(
        self, duration: timedelta, rng: np.random.Generator | int | None = None
    ) -> Sound:
        """Return a piece that begins anywhere; `rng` is a generator or a seed."""
        length, n = self.count(duration), len(self.samples)
        if not 1 <= length <= n:
            raise ValueError(f"random sample: found {duration}, wanted up to {self.duration}")
        first = int(np.random.default_rng(rng).integers(0, n - length, endpoint=True))
        return self.piece(first, first + length)

    def __matmul__(self, other: Sound) -> Sound:
        """Return both sounds on one axis of time: `acoio.join.join`."""
        from acoio.join import join

        return join([self, other])

    def View(self, kind: str = "wave", axes: Axes | None = None, **given: Any) -> Axes:  # noqa: N802
        """Draw the sound and return the axes: `acoio.view.view`, which takes a `calibration`."""
        from acoio.view import view

        return view(self, kind, axes, **given)

    def Listen(self) -> Any:  # noqa: N802
        """Return a player for notebooks: `acoio.player.listen`."""
        from acoio.player import listen

        return listen(self)

    def _repr_html_(self) -> str:
        from acoio.player import html

        return html(self)

    def save(self, path: str | Path) -> None:
        """Write the sound as the file kind its name says: `acoio.audio.save`."""
        from acoio.audio import save

        save(self, path)
