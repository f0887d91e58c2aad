"""Joining by time: records into sounds, sounds into one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import JUMP_US, from_us, record_us, to_us
from acoio.header import RECORD_SAMPLES
from acoio.origin import Origin, origins_between, told_once
from acoio.record import Record
from acoio.sound import Gap, Sound

_JITTER_US: Final = 1000  # ends and begins this near are the same; real clocks jitter by 0.1 ms
_LONGEST_S: Final = 86_400.0
_Span = tuple[int, int]


class Joiner:
    """Records → Sound | Gap: joins what follows, and says where nothing does.

    A stage with the memory of one record; cutting its input anywhere gives the
    same sound.  A record that repeats the one before it is dropped.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._last: Record | None = None

    def push(self, records: Iterable[Record], file: str = "") -> Iterator[Sound | Gap]:
        """Yield the sound of consecutive records, and the gaps between."""
        run: list[Record] = []
        for record in records:
            ahead_us = self._ahead_us(record)
            if self._repeats(record, ahead_us):
                # What follows lies further on in the file than the run would say.
                yield from self._sound(run, file)
                run = []
                continue
            if abs(ahead_us) > JUMP_US:
                yield from self._sound(run, file)
                run = []
                yield _gap_before(record, ahead_us)
            run.append(record)
            self._last = record
        yield from self._sound(run, file)

    def _ahead_us(self, record: Record) -> int:
        if self._last is None:
            return 0
        return to_us(record.begin) - to_us(self._last.begin) - round(record_us(self._rate_hz))

    def _repeats(self, record: Record, ahead_us: int) -> bool:
        if self._last is None or ahead_us >= -JUMP_US:
            return False
        return record.number == self._last.number and record.begin == self._last.begin

    def _sound(self, run: Sequence[Record], file: str) -> Iterator[Sound]:
        if run:
            yield Sound(
                samples=np.concatenate([record.samples for record in run]),
                rate_hz=self._rate_hz,
                marks_us=np.array([to_us(record.begin) for record in run], np.int64),
                file=file,
                sample=run[0].sample,
            )


def _gap_before(record: Record, ahead_us: int) -> Gap:
    if ahead_us < 0:
        reason = f"a clock that goes back {-ahead_us / 1e6:.3f} s"
        return Gap(record.begin, record.begin, reason)
    return Gap(from_us(to_us(record.begin) - ahead_us), record.begin)


class OverlapWarning(UserWarning):
    """Two sounds of the same time differ; those that began first are kept."""


def join(sounds: Iterable[Sound]) -> Sound:
    """Return sounds on one axis of time, from the first begin to the last end.

    They are put in the order of their begins, so `a @ b` is `b @ a`.  Where none has
    sound, samples are zero and `gaps` says so; sounds that follow each other within
    1 ms are joined without one, since clocks jitter.  Where two have sound, the one
    that began first is kept: in silence where they agree, with an `OverlapWarning`
    where they do not.  A gap of one is filled from the other.  Times are those of the
    marks; samples between are counted at the true rate.  The samples are int32 if
    all are, and float32 if not.

    Raises
    ------
    ValueError
        If there are none, their rates differ, or they span over a day.
    """
    ordered = sorted(sounds, key=attrgetter("begin"))
    _check(ordered)
    axis = _Axis(ordered[0].true_rate_hz)
    firsts = [axis.place(sound) for sound in ordered]
    whole = all(sound.samples.dtype == np.int32 for sound in ordered)
    samples: NDArray[Any] = np.zeros(axis.count, np.int32 if whole else np.float32)
    heard: list[_Span] = []
    origins: list[Origin] = []
    for sound, first in zip(ordered, firsts, strict=True):
        for a, b in sound.stretches():
            free = _outside((first + a, first + b), heard)
            for begin, end in _outside((first + a, first + b), free):
                _compare(samples[begin:end], sound, begin - first)
            for begin, end in free:
                samples[begin:end] = sound.samples[begin - first : end - first]
                origins += _origins(sound, first, (begin, end))
            heard = sorted([*heard, *free])
    origin, *later = told_once(origins) or ordered[0].origins
    return replace(
        ordered[0],
        file=origin.file,
        sample=origin.sample,
        later=tuple(later),
        samples=samples,
        marks_us=axis.times_us(np.arange(0, axis.count, RECORD_SAMPLES)),
        gaps=tuple(
            Gap(from_us(int(begin_us)), from_us(int(end_us)))
            for span in _outside((0, axis.count), heard)
            for begin_us, end_us in [axis.times_us(np.array(span))]
        ),
    )


def _origins(sound: Sound, first: int, span: _Span) -> list[Origin]:
    """Return the origins of what a sound, laid down at `first`, fills of a span."""
    begin, end = span[0] - first, span[1] - first
    found = origins_between(sound.origins, begin, begin, end)
    return [replace(origin, at=origin.at + span[0]) for origin in found]


class _Axis:
    """Where each sound lies among the joined samples, and the times of these."""

    def __init__(self, true_rate_hz: float) -> None:
        self._sample_us = 1e6 / true_rate_hz
        self._at = np.zeros(0, np.int64)
        self._times_us = np.zeros(0, np.int64)

    @property
    def count(self) -> int:
        return int(self._at[-1])

    def place(self, sound: Sound) -> int:
        """Return the sample at which a sound begins; it begins no earlier than those before."""
        at, times_us = sound.knots()
        first = self._first(int(times_us[0])) if len(self._at) else 0
        end = self.count if len(self._at) else -1
        if first == end and times_us[0] > self._times_us[-2]:  # its own clock knows better
            self._at, self._times_us, end = self._at[:-1], self._times_us[:-1], end - 1
        new = at + first > end
        self._at = np.append(self._at, at[new] + first)
        self._times_us = np.append(self._times_us, times_us[new])
        return first

    def _first(self, begin_us: int) -> int:
        late_us = begin_us - int(self._times_us[-1])
        if abs(late_us) <= _JITTER_US:
            return self.count
        if late_us > 0:
            return self.count + round(late_us / self._sample_us)
        since_us = self._times_us - self._times_us[0]
        return round(float(np.interp(begin_us - self._times_us[0], since_us, self._at)))

    def times_us(self, k: NDArray[np.int64]) -> NDArray[np.int64]:
        since_us = np.interp(k, self._at, self._times_us - self._times_us[0])
        return np.asarray(self._times_us[0] + np.rint(since_us).astype(np.int64))


def _check(sounds: Sequence[Sound]) -> None:
    if not sounds:
        raise ValueError("join: found no sound, wanted one or more")
    rates = sorted({sound.rate_hz for sound in sounds})
    if len(rates) > 1:
        raise ValueError(f"join: found rates of {rates} Hz, wanted one: resample_fs makes it so")
    span_s = (max(sound.end for sound in sounds) - sounds[0].begin).total_seconds()
    if span_s > _LONGEST_S:
        raise ValueError(f"join: found sounds over {span_s:.0f} s, wanted up to a day")


def _outside(span: _Span, taken: Sequence[_Span]) -> list[_Span]:
    """Return the parts of a span that are in none of some spans, which are in order."""
    free, (at, end) = [], span
    for first, last in taken:
        if at < min(first, end):
            free.append((at, min(first, end)))
        at = max(at, last)
    return [*free, (at, end)] if at < end else free


def _compare(kept: NDArray[Any], sound: Sound, first: int) -> None:
    """Warn where a sound differs from what is kept in its place, from its sample `first` on."""
    differ = int(np.count_nonzero(kept != sound.samples[first : first + len(kept)]))
    if differ:
        warnings.warn(
            f"join: found an overlap of {len(kept)} samples at {sound.time_of(first)} in which "
            f"{differ} differ; kept those of the sound that began first",
            OverlapWarning,
            stacklevel=3,
        )
