"""A file of sound as other programs see it, and whether a sound is one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from acoio.audio import is_audio
from acoio.clock import record_us
from acoio.errors import DataError
from acoio.header import RECORD_SAMPLES
from acoio.sound import Sound

_LONGEST_S: Final = 330.0  # files hold 1757 or 1758 records, 300.03 s: docs/quirks.md


@dataclass(frozen=True, slots=True)
class FileSpan:
    """A file of sound as other programs see it: so many samples at a nominal rate.

    `begin` and `end` are UTC, as naive times are; the true rate is what lies between.
    """

    name: str
    begin: datetime
    end: datetime
    samples: int
    rate_hz: float

    def __post_init__(self) -> None:
        for name in ("begin", "end"):
            object.__setattr__(self, name, in_utc(getattr(self, name)))

    @property
    def seconds(self) -> float:
        """Length as other programs see it: samples over the nominal rate."""
        return self.samples / self.rate_hz

    @classmethod
    def of(cls, sound: Sound, name: str | None = None) -> Self:
        """Return the span of a sound, under the name of its file or another.

        Without a name the sound must be what `acoio.read` gave of one file, as far as
        it can tell: from sample 0 on, and of the observatory's files whole records of
        five minutes at most.  It takes the first part of a WAV, FLAC or MP3, or one that
        happens to end with a record, for the whole.

        Raises
        ------
        DataError
            If the sound cannot be one whole file, and no name is given of a file that
            holds just this.
        """
        if name is None and (why := _no_file(sound)):
            raise DataError(
                f"sound: found {why} of {sound.file!r}, "
                "wanted a whole file, or the name of a file that holds just this"
            )
        named = sound.file if name is None else name
        return cls(named, sound.begin, sound.end, len(sound.samples), sound.rate_hz)


def _no_file(sound: Sound) -> str:
    """Say why a sound cannot be the whole of its file; nothing if it can."""
    if sound.sample or not sound.file:
        return f"a piece from sample {sound.sample}"
    if len(sound.files) > 1:
        return f"pieces of {len(sound.files)} files, the first"
    if is_audio(sound.file):
        return ""
    if sound.gaps and (sound.gaps[0].begin <= sound.begin or sound.gaps[-1].end >= sound.end):
        return "a gap at an end"
    # `acoio.read` rounds each gap to samples, and the rest is what the records hold.
    each_us = record_us(sound.rate_hz) / RECORD_SAMPLES
    held = len(sound.samples) - sum(round(gap.seconds * 1e6 / each_us) for gap in sound.gaps)
    if held % RECORD_SAMPLES or held / sound.rate_hz > _LONGEST_S:
        return f"{held} samples, not the whole records of five minutes at most,"
    return ""


def in_utc(when: datetime) -> datetime:
    """Return a time in UTC, as which a naive one is taken."""
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
