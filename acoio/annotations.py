"""What somebody marked in the sound, and where that lies in a list of files.

Programs that mark sound know no UTC: they count seconds of samples at the nominal
rate, from the begin of the first file on, as if the files joined without a break.
A `Timeline` holds what it takes to go from there to UTC and back.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import inf
from pathlib import PurePath

from acoio.clock import from_us, to_us
from acoio.errors import DataError
from acoio.file_span import FileSpan, in_utc
from acoio.sound import Sound

__all__ = ["Annotation", "FileSpan", "Timeline"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A stretch of time, [begin, end) UTC, in a band where one is given, and its label.

    A naive time is UTC.  `low_hz` and `high_hz` are both given or both None.
    `extra` holds what else a table said of it, as (column, cell).

    Raises
    ------
    DataError
        If it ends before it begins, has half a band, or a label with a tab or a
        line's end, which neither Raven nor Audacity can hold.
    """

    begin: datetime
    end: datetime
    low_hz: float | None = None
    high_hz: float | None = None
    label: str = ""
    channel: int = 1
    extra: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name in ("begin", "end"):
            object.__setattr__(self, name, in_utc(getattr(self, name)))
        if self.end < self.begin:
            raise DataError(f"annotation: found the end {self.end} before the begin {self.begin}")
        if (self.low_hz is None) != (self.high_hz is None):
            raise DataError(f"annotation: found {self.low_hz} to {self.high_hz} Hz, wanted both")
        if not (0 <= (self.low_hz or 0) <= (self.high_hz or 0) < inf):
            raise DataError(
                f"annotation: found {self.low_hz:g} to {self.high_hz:g} Hz, wanted them rising "
                "from 0 or more"
            )
        for cell in (self.label, *(cell for pair in self.extra for cell in pair)):
            if any(mark in cell for mark in "\t\r\n"):
                raise DataError(f"annotation: found {cell!r}, wanted no tab and no line's end")


class Timeline:
    """A list of files as one axis of seconds, without the breaks between the files.

    Raises
    ------
    DataError
        If there is no file, one bears the name of another, or they are not in the
        order of time.
    """

    def __init__(self, files: Iterable[FileSpan | Sound]) -> None:
        spans = [file if isinstance(file, FileSpan) else FileSpan.of(file) for file in files]
        self.files: tuple[FileSpan, ...] = tuple(spans)
        _check(self.files)
        self._begins = [span.begin for span in self.files]
        self._starts = list(_starts(self.files))

    def __repr__(self) -> str:
        first, last = self.files[0], self.files[-1]
        count = f"{len(self.files)} file" + "s" * (len(self.files) > 1)
        return f"<Timeline {first.begin} to {last.end}, {count}, {self.seconds:.3f} s of samples>"

    @property
    def seconds(self) -> float:
        """Length of the whole list, without the breaks."""
        return self._starts[-1]

    def place(self, when: datetime, *, last: bool = False) -> tuple[int, float]:
        """Return the file (its index) and the seconds into it of a time, UTC if naive.

        A time between two files is the begin of the later one, or with `last`, for the
        end of a stretch, the end of the earlier one.

        Raises
        ------
        DataError
            If no file has it.
        """
        when = in_utc(when)
        if last:
            k = bisect_left(self._begins, when) - 1
        else:
            k = bisect_right(self._begins, when) - 1
            if k >= 0 and when >= self.files[k].end and k + 1 < len(self.files):
                k, when = k + 1, self.files[k + 1].begin
        if k < 0 or (not last and when > self.files[k].end):
            raise DataError(f"{when}: found no file of {self._begins[0]} to {self.files[-1].end}")
        span = self.files[k]
        length_us = to_us(span.end) - to_us(span.begin)
        return k, (min(to_us(when), to_us(span.end)) - to_us(span.begin)) / length_us * span.seconds

    def start_s(self, k: int) -> float:
        """Return the seconds over the list at which a file begins."""
        return self._starts[k]

    def time_of(self, seconds: float, *, last: bool = False) -> datetime:
        """Return the UTC time of seconds over the list; `last` as in `place`.

        Raises
        ------
        DataError
            If it lies over a millisecond outside of the list.
        """
        if not -1e-3 <= seconds <= self.seconds + 1e-3:
            raise DataError(f"{seconds:g} s: wanted 0 to {self.seconds:.6f} s, the files' length")
        # Half a microsecond on either side is what the rounding of a time may be.
        find, slack = (bisect_left, -5e-7) if last else (bisect_right, 5e-7)
        k = min(max(find(self._starts, seconds + slack) - 1, 0), len(self.files) - 1)
        span = self.files[k]
        length_us = to_us(span.end) - to_us(span.begin)
        ran_us = (seconds - self._starts[k]) / span.seconds * length_us
        return from_us(to_us(span.begin) + round(min(max(ran_us, 0), length_us)))

    def stretch(self, annotation: Annotation) -> tuple[float, float]:
        """Return the begin and end of an annotation, seconds over the list.

        Raises
        ------
        DataError
            If no file has any of it.
        """
        first, offset_s = self.place(annotation.begin)
        begin_s = end_s = self.start_s(first) + offset_s
        if annotation.end > annotation.begin:
            last, offset_s = self.place(annotation.end, last=True)
            if last < first:
                raise DataError(f"annotation of {annotation.begin}: found no file with any of it")
            end_s = self.start_s(last) + offset_s
        return begin_s, end_s

    def times_of(self, begin_s: float, end_s: float) -> tuple[datetime, datetime]:
        """Return the UTC times of a stretch over the list: `stretch` undone."""
        begin = self.time_of(begin_s)
        return begin, begin if end_s == begin_s else self.time_of(end_s, last=True)

    def index_of(self, name: str) -> int:
        """Return the index of the file of a name, with or without its extension.

        Raises
        ------
        DataError
            If there is none.
        """
        wanted = PurePath(name.replace("\\", "/"))
        names = [PurePath(span.name) for span in self.files]
        for k, found in enumerate(names):
            if wanted.name == found.name:
                return k
        for k, found in enumerate(names):
            if wanted.name == found.stem or found.stem in (wanted.stem, PurePath(wanted.stem).stem):
                return k
        raise DataError(f"file {name!r}: wanted one of the {len(names)} in the list")


def _starts(files: Sequence[FileSpan]) -> Iterator[float]:
    """Yield the seconds at which each file begins, and the last ends: samples are counted whole."""
    before: Counter[float] = Counter()
    for span in files:
        yield sum(samples / rate_hz for rate_hz, samples in before.items())
        before[span.rate_hz] += span.samples
    yield sum(samples / rate_hz for rate_hz, samples in before.items())


def _check(files: Sequence[FileSpan]) -> None:
    if not files:
        raise DataError("timeline: found no files")
    for span in files:
        if span.samples < 1 or span.end <= span.begin:
            raise DataError(f"{span.name}: found {span.samples} samples, {span.begin}–{span.end}")
    for one, other in pairwise(files):
        if other.begin <= one.begin:
            raise DataError(f"{other.name}: found its begin before that of {one.name}")
    names = Counter(PurePath(span.name).name for span in files)
    if twice := next((name for name, count in names.items() if count > 1), None):
        raise DataError(f"timeline: found two files of one name, {twice!r}")
