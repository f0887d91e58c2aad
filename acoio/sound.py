"""Sound and Gap: what records become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acoio.clock import from_us, record_us, to_us
from acoio.header import RECORD_SAMPLES
from acoio.record import Record

GAP_TOLERANCE_US: Final = 20_000
"""A record this far from where the last one ended leaves a gap; the clock repair allows as much."""


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
        mark = min(max(k // RECORD_SAMPLES, 0), len(self.marks_us) - 1)
        beyond = (k - mark * RECORD_SAMPLES) * record_us(self.rate_hz) / RECORD_SAMPLES
        return from_us(int(self.marks_us[mark]) + round(beyond))

    def index_of(self, when: datetime) -> int:
        """Return the index of the first sample at or after a UTC time, within 0 to n."""
        late_us = to_us(when) - self.marks_us
        mark = max(int(np.searchsorted(-late_us, 0, side="right")) - 1, 0)
        step_us = record_us(self.rate_hz) / RECORD_SAMPLES
        k = mark * RECORD_SAMPLES + int(np.ceil((late_us[mark] - 0.5) / step_us))
        return min(max(k, 0), len(self.samples))

    def __getitem__(self, span: slice) -> Sound:
        """Return the sound of a span of `datetime`, or of `timedelta` since the begin."""
        first, last = self._edge(span.start, 0), self._edge(span.stop, len(self.samples))
        if last <= first:
            raise IndexError(
                f"no sound in [{span.start}, {span.stop}) of {self.begin} to {self.end}"
            )
        marks = [to_us(self.time_of(k)) for k in range(first, last, RECORD_SAMPLES)]
        begin, end = self.time_of(first), self.time_of(last)
        return Sound(
            samples=self.samples[first:last],
            rate_hz=self.rate_hz,
            marks_us=np.asarray(marks, np.int64),
            gaps=tuple(gap for gap in self.gaps if gap.begin < end and gap.end > begin),
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
        self.repeated = 0

    def push(self, records: Iterable[Record], file: str = "") -> Iterator[Sound | Gap]:
        """Yield the sound of consecutive records, and the gaps between."""
        run: list[Record] = []
        for record in records:
            ahead_us = self._ahead_us(record)
            if self._repeats(record, ahead_us):
                self.repeated += 1
                continue
            if abs(ahead_us) > GAP_TOLERANCE_US:
                yield from self._sound(run, file)
                run = []
                end_us = to_us(record.begin)
                yield Gap(from_us(end_us - ahead_us), from_us(end_us))
            run.append(record)
            self._last = record
        yield from self._sound(run, file)

    def reset(self) -> None:
        """Forget the record before, so that the next one follows nothing."""
        self._last = None

    def _ahead_us(self, record: Record) -> int:
        if self._last is None:
            return 0
        return to_us(record.begin) - to_us(self._last.begin) - round(record_us(self._rate_hz))

    def _repeats(self, record: Record, ahead_us: int) -> bool:
        if self._last is None or ahead_us >= -GAP_TOLERANCE_US:
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
