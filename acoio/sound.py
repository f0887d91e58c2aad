"""Sound and Gap: what records become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import JUMP_US, from_us, record_us, to_us
from acoio.header import RECORD_SAMPLES
from acoio.record import Record

_ROUNDING: Final = 1.5e-6  # seconds: marks and times are whole microseconds


@dataclass(frozen=True, slots=True)
class Gap:
    """A span of time without sound, [begin, end)."""

    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Length in seconds; negative where the clock went back."""
        return (self.end - self.begin).total_seconds()


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Samples that follow each other, `(n,)` counts at `rate_hz` from `begin` on.

    `marks_us` (m,) int64: UTC microseconds of every 4096th sample, by the
    headers; sample times between them are interpolated.  `gaps` lie inside, and
    samples there are zero.  `file` and `sample` say where the sound came from.
    """

    samples: NDArray[np.int32]
    rate_hz: float
    marks_us: NDArray[np.int64]
    gaps: tuple[Gap, ...] = field(default=())
    file: str = ""
    sample: int = 0

    @property
    def begin(self) -> datetime:
        """UTC time of the first sample."""
        return from_us(int(self.marks_us[0]))

    @property
    def end(self) -> datetime:
        """UTC time just after the last sample."""
        return self.time_of(len(self.samples))

    def time_of(self, k: int) -> datetime:
        """Return the UTC time of sample k, interpolated between the marks."""
        return from_us(round(float(np.interp(k, *self._knots()))))

    def index_of(self, when: datetime) -> int:
        """Return the index of the first sample at or after a UTC time, within 0 to n."""
        at, times_us = self._knots()
        k = float(np.interp(to_us(when) - times_us[0], times_us - times_us[0], at))
        return int(np.ceil(k - _ROUNDING * self.rate_hz))

    def _knots(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return samples whose time is known, the end among them, and these times, µs."""
        at = np.arange(0, len(self.marks_us) + 1) * RECORD_SAMPLES
        at[-1] = len(self.samples)
        last_us = (at[-1] - at[-2]) / RECORD_SAMPLES * record_us(self.rate_hz)
        return at, np.append(self.marks_us, self.marks_us[-1] + round(last_us))

    def __getitem__(self, span: slice) -> Sound:
        """Return the sound of a span of `datetime`, or of `timedelta` since the begin.

        Raises
        ------
        IndexError
            If there is no sound in the span, or it has a step.
        """
        if span.step is not None:
            raise IndexError(f"slice: found the step {span.step}, wanted none")
        first, last = self._edge(span.start, 0), self._edge(span.stop, len(self.samples))
        if last <= first:
            raise IndexError(
                f"no sound in [{span.start}, {span.stop}) of {self.begin} to {self.end}"
            )
        begin, end = self.time_of(first), self.time_of(last)
        marks = [to_us(self.time_of(k)) for k in range(first, last, RECORD_SAMPLES)]
        inside = (Gap(max(gap.begin, begin), min(gap.end, end)) for gap in self.gaps)
        return Sound(
            samples=self.samples[first:last],
            rate_hz=self.rate_hz,
            marks_us=np.asarray(marks, np.int64),
            gaps=tuple(gap for gap in inside if gap.begin < gap.end),
            file=self.file,
            sample=self.sample + first,
        )

    def _edge(self, edge: datetime | timedelta | None, default: int) -> int:
        if edge is None:
            return default
        when = self.begin + edge if isinstance(edge, timedelta) else edge
        return self.index_of(when)


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
                end_us = to_us(record.begin)
                yield Gap(from_us(end_us - ahead_us), from_us(end_us))
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
