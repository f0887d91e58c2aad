"""What a WAV, FLAC or MP3 file holds, or why it gives no sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from acoio.audio_file import opened
from acoio.audio_note import note_of
from acoio.audio_track import audio_track
from acoio.clock import from_us
from acoio.errors import DataError
from acoio.sound import Gap

BeginFrom = Literal["comment", "name", ""]


@dataclass(frozen=True, slots=True)
class AudioReport:
    """A WAV, FLAC or MP3 file as its header, its comment and its name tell it.

    `frames` is how many it gives and `promised` how many its header says; `begin_from`
    says whether `begin` is of the comment that `save` wrote, or of the name; `gaps` are
    the comment's.  `whole` says that samples are counts, not fractions.  `fault` says why
    it gives no sound, or "".
    """

    file: str
    size_bytes: int
    format: str = ""
    subtype: str = ""
    rate_hz: float = 0.0
    channels: int = 0
    promised: int = 0
    frames: int = 0
    whole: bool = True
    begin: datetime | None = None
    end: datetime | None = None
    begin_from: BeginFrom = ""
    gaps: tuple[Gap, ...] = ()
    fault: str = ""


def examine_audio(path: Path, *, rate_hz: float | None = None) -> AudioReport:
    """Return what an audio file holds; of its sound little is decoded.

    Raises
    ------
    NotReadyError
        If it cannot be read.
    """
    try:
        with opened(path) as file:
            note = note_of(file.comment)
            found = (str(file.format), str(file.subtype), float(file.samplerate))
            channels, promised = file.channels, file.frames
    except DataError as error:
        return AudioReport(path.name, path.stat().st_size, fault=_reason(error, path))
    told = AudioReport(
        path.name,
        path.stat().st_size,
        *found[:2],
        rate_hz=rate_hz or found[2],
        channels=channels,
        promised=promised,
        gaps=note.gaps,
    )
    try:
        track = audio_track(path, rate_hz)
    except DataError as error:
        return replace(told, fault=_reason(error, path))
    return replace(
        told,
        frames=track.frames,
        whole=track.whole,
        begin=from_us(track.begin_us),
        end=from_us(track.end_us),
        begin_from="comment" if note.begin else "name",
    )


def _reason(error: DataError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
