"""The tracks of found files, remembered for as long as the files stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from acoio.audio_track import audio_track
from acoio.catalogue import Found
from acoio.ends import span_us
from acoio.errors import DataError, NotReadyError
from acoio.rate import RateError
from acoio.record_track import record_track
from acoio.remembered import Remembered
from acoio.track import Silent, Track

_ENDS_KEPT: Final = 4096
_TRACKS_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class Ends:
    """The rate of a file, None if it has no sound, and its begin and end (µs), if these tell."""

    rate_hz: float | None = None
    span_us: tuple[int, int] | None = None


class Tracks:
    """Gives the tracks of files; `rate_hz` is believed before their names and headers."""

    def __init__(self, rate_hz: float | None = None) -> None:
        self._rate_hz = rate_hz
        self._tracks: Remembered[Track] = Remembered(_TRACKS_KEPT)
        self._ends: Remembered[Ends] = Remembered(_ENDS_KEPT)

    def track(self, found: Found) -> Track:
        """Return the track of a file as it is now, a `Silent` one if it is broken.

        Raises
        ------
        NotReadyError
            If it cannot be read.
        RateError
            If its clock contradicts the rate that was given.
        """
        return self._tracks.get(found.path, lambda path: self._opened(found, path))

    def ends(self, found: Found) -> Ends:
        """Return the rate and the ends of a file, by little of it.

        Raises
        ------
        NotReadyError
            If it cannot be read.
        """
        return self._ends.get(found.path, lambda path: self._ends_of(found, path))

    def rate_hz(self, found: Found) -> float | None:
        """Return the rate of a file, None of a broken copy; only copies are looked into."""
        if not found.copy:
            return self._rate_hz or found.name.rate_hz
        try:
            return self.ends(found).rate_hz
        except NotReadyError:
            return None  # told by whoever opens it

    def _opened(self, found: Found, path: Path) -> Track:
        try:
            if found.copy:
                return audio_track(path, self._rate_hz)
            return record_track(path, self._rate_hz or found.name.rate_hz)
        except RateError as error:
            if self._rate_hz:
                raise  # it was given for all of them: nothing of them would be right
            return Silent(str(error))
        except DataError as error:
            empty = path.is_file() and not path.stat().st_size
            return Silent("empty file" if empty else str(error))

    def _ends_of(self, found: Found, path: Path) -> Ends:
        rate_hz = self._rate_hz or found.name.rate_hz
        try:
            if found.copy:
                track = audio_track(path, self._rate_hz)
                return Ends(track.rate_hz, (track.begin_us, track.end_us))
            return Ends(rate_hz, span_us(path, rate_hz))
        except DataError:
            return Ends()
