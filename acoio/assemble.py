"""Stretches of sound from files → one Sound of a span, whole or in part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acoio.chain import Stretch, gaps_between
from acoio.clock import JUMP_US, true_rate_hz
from acoio.header import RECORD_SAMPLES
from acoio.origin import Origin, told_once
from acoio.sound import Sound


def assemble(
    stretches: Sequence[Stretch], begin_us: int, end_us: int, rate_hz: float
) -> Sound | None:
    """Return the sound of [begin_us, end_us), zero where there is none, or None if it is nowhere.

    Stretches are in order and apart.  The samples are written to where they stay, a
    few records at a time: int32, or float32 if a file of fractions is among them.
    """
    parts = [_Part(x, begin_us, end_us, rate_hz) for x in stretches]
    parts = [part for part in parts if part.count > 0]
    if not parts:
        return None
    ratio = parts[0].stretch.track.clock_ratio
    axis = _Axis(begin_us, true_rate_hz(rate_hz, ratio))
    places = [axis.place(part) for part in parts]
    axis.silence(end_us)
    whole = all(part.stretch.track.whole for part in parts)
    samples: NDArray[Any] = np.zeros(axis.count, np.int32 if whole else np.float32)
    heard_us: list[tuple[int, int]] = []
    origins: list[Origin] = []
    for part, at in zip(parts, places, strict=True):
        heard = part.read_into(samples[at : at + part.count])
        heard_us += heard
        origins += [Origin(at, part.file, part.first_in_file)] if heard else []
    if not heard_us:
        return None
    origin, *later = told_once(origins)
    return Sound(
        samples=samples,
        rate_hz=rate_hz,
        marks_us=axis.marks_us(),
        gaps=tuple(gaps_between(heard_us, begin_us, end_us)),
        file=origin.file,
        sample=origin.sample,
        later=tuple(later),
        clock_ratio=ratio,
    )


class _Part:
    """The samples of a stretch within a span, by the times of its records alone."""

    def __init__(self, stretch: Stretch, begin_us: int, end_us: int, rate_hz: float) -> None:
        self.stretch = stretch
        self.span_us = stretch.begin_us, stretch.end_us
        self.rate_hz = rate_hz
        self._at = np.append(np.arange(len(stretch.marks_us)) * RECORD_SAMPLES, stretch.count)
        self._knots_us = np.append(stretch.marks_us, stretch.last_us(rate_hz))
        self.first = self._index(max(begin_us, stretch.begin_us))
        self.count = self._index(min(end_us, stretch.end_us)) - self.first
        self.first_in_file = stretch.first + self.first
        self.file = stretch.found.path.name

    def _index(self, when_us: int) -> int:
        """Return the first sample at or after a time, to a microsecond, as `Sound` counts."""
        times = (self._knots_us - self._knots_us[0]).astype(np.float64)
        k = float(np.interp(when_us - self._knots_us[0], times, self._at))
        return int(np.ceil(k - 1.5e-6 * self.rate_hz))

    def knots(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return samples of the part whose time is known, its edges among them, and these, µs."""
        last = self.first + self.count
        inside = self._at[(self.first < self._at) & (self._at < last)]
        at = np.array([self.first, *inside, last])
        return at - self.first, self._times_us(at)

    def _times_us(self, k: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.interp(k, self._at, self._knots_us.astype(np.float64))

    def read_into(self, out: NDArray[Any]) -> list[tuple[int, int]]:
        """Read the samples of the part, `→ (count,)`; return the times of what could be, µs."""
        heard: list[tuple[int, int]] = []
        for at, samples in self.stretch.track.read(self.first_in_file, self.count):
            begin = at - self.first_in_file
            end = begin + len(samples)
            out[begin:end] = samples
            joined = bool(heard) and heard[-1][1] == begin
            heard = [*heard[:-1], (heard[-1][0], end)] if joined else [*heard, (begin, end)]
        return [(self._edge_us(a), self._edge_us(b)) for a, b in heard]

    def _edge_us(self, k: int) -> int:
        """Return the time of a sample of the part; at the part's edges, those of the stretch."""
        if k in (0, self.count):
            return self.span_us[k > 0]
        return round(float(self._times_us(np.array(self.first + k))))


class _Axis:
    """Samples against time: what is laid on it one after the other, and the silence between."""

    def __init__(self, begin_us: int, true_rate_hz: float) -> None:
        self._rate_hz = true_rate_hz
        self._end_us: float = begin_us
        self.count = 0
        self._at: list[NDArray[np.int64]] = []
        self._times_us: list[NDArray[np.float64]] = []

    def place(self, part: _Part) -> int:
        """Lay a part down after what lies there, and return where it begins."""
        at, times_us = part.knots()
        self.silence(times_us[0])
        begin = self.count
        self._know(begin + at, times_us)
        self.count += part.count
        self._end_us = times_us[-1]
        return begin

    def silence(self, until_us: float) -> None:
        """Leave room up to a time, if that is further off than clocks are."""
        if until_us - self._end_us > JUMP_US:
            self._know(np.array([self.count]), np.array([self._end_us]))
            self.count += round((until_us - self._end_us) * self._rate_hz / 1e6)
            self._know(np.array([self.count]), np.array([until_us]))
            self._end_us = until_us

    def _know(self, at: NDArray[np.int64], times_us: NDArray[np.float64]) -> None:
        self._at.append(at)
        self._times_us.append(times_us)

    def marks_us(self) -> NDArray[np.int64]:
        """Return the time of every 4096th sample, µs."""
        every = np.arange(0, self.count, RECORD_SAMPLES)
        times_us = np.interp(every, np.concatenate(self._at), np.concatenate(self._times_us))
        return np.rint(times_us).astype(np.int64)
