"""The observatory's recordings by date and time.

loader = ACOio("./basedir/")
sound = loader.load(datetime(2016, 2, 18, 7, 55))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from acoio.assemble import assemble
from acoio.catalogue import Catalogue, Found
from acoio.chain import EARLY, LONGEST, Chain, Overlap, Stray, Stretch, in_turn
from acoio.clock import MEMORY_RECORDS, NOMINAL_RATE_HZ, from_us, record_us, to_us
from acoio.clock_errors import ClockErrors, known_clock_errors
from acoio.coverage import Coverage, survey
from acoio.errors import DataError
from acoio.header import EARLIEST_S, LATEST_S
from acoio.load import read
from acoio.nearest import nearest_sound
from acoio.sound import Sound
from acoio.tell import tell_overlap, tell_silent
from acoio.tracks import Tracks
from acoio.wanted import a_duration, a_path, an_instant, is_there

FIVE_MINUTES: Final = timedelta(minutes=5)
_MICROSECOND: Final = timedelta(microseconds=1)
_LEAD_US: Final = round(MEMORY_RECORDS * record_us())  # what the repair of clocks looks back
_NEAR_US: Final = 30_000_000  # how far corrections move what the first and last headers say


class ACOio:
    """Loads sound of an archive by date and time; a naive datetime is UTC.

    The folder holds `YYYY/MM/DD`, `MM/DD` or files as they are: recordings of the
    observatory and, by the times in their names, WAV, FLAC and MP3.  `rate_hz` is the
    nominal rate where names or headers do not tell the right one; `band` is "BB" or, for
    the second hydrophone, "HF"; `clock_errors`, such as those of
    `known_clock_errors()`, are taken out of the times of recordings.

    Raises
    ------
    NotReadyError
        If there is no such folder, or later, if something in it cannot be read.
    """

    def __init__(
        self,
        basedir: str | Path,
        *,
        rate_hz: float | None = None,
        band: str = "BB",
        clock_errors: ClockErrors | None = None,
    ) -> None:
        self.basedir = Path(basedir)
        self.band = band
        self._rate_hz = rate_hz
        self._clock_errors = clock_errors
        self._catalogue = Catalogue(self.basedir, band=band)
        self._tracks = Tracks(rate_hz)

    def __repr__(self) -> str:
        return f"ACOio({str(self.basedir)!r}, band={self.band!r})"

    def load(self, when: datetime | str | Path, duration: timedelta | None = None) -> Sound:
        """Return the sound of `duration` (five minutes) from an instant on, (n,) counts.

        It begins at the instant and lasts as long as asked for, over as many files
        as that takes.  Where there is no sound the samples are zero and `gaps` says
        so.  Samples are int32, or float32 if some are of a file of fractions.  A path
        instead of an instant gives that file whole, or as long as asked.

        Raises
        ------
        DataError
            If there is no sound at all in the span: the message says where the
            nearest is.  If its files are of several rates, or their clocks of another
            than `rate_hz`.  If it asks for nothing.
        TypeError
            If the instant or the duration is none.

        Warns
        -----
        OverlapWarning
            If files claim the same time: the first of them was kept, and the others
            fill what it lacks.  None tells of a copy beside its recording, which is kept.
        DamageWarning
            If a file gave no sound, so that there is a gap: it is broken, or its clock is.
        """
        if isinstance(when, str | Path):
            if duration is not None:
                _more_than_nothing(duration)
            path = a_path(self._path(Path(when)), when)
            whole = read(path, rate_hz=self._rate_hz, clock_errors=self._clock_errors)
            return whole if duration is None else whole[:duration]
        begin_us, end_us = _span(when, FIVE_MINUTES if duration is None else duration)
        sound = self._sound(begin_us, end_us)
        if sound is None:
            self._catalogue.forget()  # a file may have come within a tick of the folder's clock
            sound = self._sound(begin_us, end_us)
        if sound is None:
            raise DataError(self._nothing(begin_us, end_us))
        return sound

    def blocks(
        self, begin: datetime, end: datetime, duration: timedelta = FIVE_MINUTES
    ) -> Iterator[Sound]:
        """Yield the sound of [begin, end) in blocks of `duration`, the last one perhaps shorter.

        A block is as from `load`; one without any sound is left out.  Memory holds
        a block at a time.

        Raises
        ------
        DataError
            As `load`, but not where there is no sound.
        """
        begin_us, end_us = _span(begin, _aware(end) - _aware(begin))
        step_us = _span(begin, duration)[1] - begin_us
        for first_us in range(begin_us, end_us, step_us):
            sound = self._sound(first_us, min(first_us + step_us, end_us))
            if sound is not None:
                yield sound

    def coverage(
        self,
        begin: datetime | None = None,
        end: datetime | None = None,
        *,
        each: Callable[[Sequence[Found]], Iterable[Found]] = iter,
    ) -> Coverage:
        """Return what there is in [begin, end), or in all the archive, by the headers alone.

        `each` may wrap the files, to show how far this is.

        Raises
        ------
        DataError
            If there is no sound, and the span is open.
        """
        first, last = self._catalogue.extent()
        if first is None or last is None:
            found = f"{self.basedir}: found no recording of the band {self.band}"
            raise DataError(f"{found}{self._others()}")
        low = first.name.begin if begin is None else _aware(begin)
        high = last.name.begin if end is None else _aware(end)
        files = self._catalogue.named(low - LONGEST, high + EARLY)
        cover = survey(
            each(in_turn(files)),
            self._tracks,
            Chain(self._rate(files), self._clock_errors),
            span=(begin, end),
            clock_errors=self._clock_errors or known_clock_errors(),
        )
        ignored, others = self._catalogue.ignored(), self._catalogue.others()
        return replace(cover, ignored=tuple(ignored), others=tuple(others))

    def _sound(self, begin_us: int, end_us: int) -> Sound | None:
        files = self._files(begin_us - _LEAD_US, end_us)
        chain = Chain(self._rate(files), self._clock_errors)
        stretches: list[Stretch] = []
        overlaps: list[Overlap] = []
        silent: list[tuple[Found, str]] = []
        for found in in_turn(files):
            track = self._tracks.track(found)
            pieces = list(chain.push(found, track))
            stretches += [piece for piece in pieces if isinstance(piece, Stretch)]
            overlaps += [piece for piece in pieces if isinstance(piece, Overlap)]
            if all(isinstance(piece, Stray) for piece in pieces):
                silent.append((found, track.fault or "a clock of another time"))
        stretches.sort(key=lambda stretch: stretch.begin_us)
        sound = assemble(stretches, begin_us, end_us, chain.rate_hz)
        for overlap in overlaps:
            tell_overlap(overlap, begin_us, end_us)
        for found, fault in silent:
            tell_silent(found, fault, sound.gaps if sound else ())
        return sound

    def _files(self, begin_us: int, end_us: int) -> list[Found]:
        """Return the files that can hold sound of a span, in order of time."""
        found = self._catalogue.named(from_us(begin_us) - LONGEST, from_us(end_us) + EARLY)
        return [file for file in found if self._reaches(file, begin_us, end_us)]

    def _reaches(self, found: Found, begin_us: int, end_us: int) -> bool:
        span = self._tracks.ends(found).span_us
        return span is None or (span[0] - _NEAR_US < end_us and begin_us < span[1] + _NEAR_US)

    def _rate(self, files: Sequence[Found]) -> float:
        if self._rate_hz is not None:
            return self._rate_hz
        told = ((self._tracks.rate_hz(found), found.path) for found in files)
        rates = {rate_hz: path for rate_hz, path in told if rate_hz is not None}
        if len(rates) > 1:
            each = ", ".join(f"{rate:g} Hz ({path})" for rate, path in sorted(rates.items()))
            raise DataError(f"found files of several rates: {each}; wanted one: load them by path")
        return next(iter(rates), NOMINAL_RATE_HZ)

    def _path(self, path: Path) -> Path:
        return path if path.is_absolute() or is_there(path) else self.basedir / path

    def _nothing(self, begin_us: int, end_us: int) -> str:
        near = nearest_sound(self._catalogue, self._tracks, from_us(begin_us))
        return (
            f"{self.basedir}: found no sound of band {self.band} from {from_us(begin_us)} to "
            f"{from_us(end_us)}; nearest: {near}{self._others()}"
        )

    def _others(self) -> str:
        """Return what else an archive holds that has no recording of this band with a time."""
        if self._catalogue.extent()[0]:
            return ""
        text, other = "", "HF" if self.band == "BB" else "BB"
        if Catalogue(self.basedir, band=other).extent()[0]:
            text = f"; there is band {other} here: band={other!r}"
        if timeless := self._catalogue.ignored():
            count = f"{len(timeless)} sound file" + "s" * (len(timeless) > 1)
            first = f"the first {timeless[0].name}"
            text += f"; there are {count} without a time since 2000 in the name, {first}"
        return text


ACDio = ACOio
"""Another name, that of the original report."""


def _aware(when: datetime) -> datetime:
    return from_us(to_us(when))


def _span(begin: datetime, duration: timedelta) -> tuple[int, int]:
    begin_us = to_us(an_instant(begin, "load", "a datetime or a path"))
    _more_than_nothing(duration)
    end_us = begin_us + duration // _MICROSECOND
    if begin_us < EARLIEST_S * 1_000_000 or end_us >= LATEST_S * 1_000_000:
        raise DataError(f"span: found {begin} and {duration}, wanted times from 2000 to 2100")
    return begin_us, end_us


def _more_than_nothing(duration: timedelta) -> None:
    if a_duration(duration, "duration") <= timedelta(0):
        raise DataError(f"span: found a duration of {duration}, wanted more than nothing")
