"""What a WAV, FLAC or MP3 file holds, or why it gives no sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from acoio.audio_file import clock_ratio, is_whole, opened
from acoio.audio_note import note_of
from acoio.audio_track import audio_track, frames_of
from acoio.clock import from_us, true_rate_hz
from acoio.errors import DataError
from acoio.sound import Gap

_UNKNOWN: Final = 2**63 - 1  # libsndfile's number of frames where the header has none

BeginFrom = Literal["comment", "name", ""]


@dataclass(frozen=True, slots=True)
class AudioReport:
    """A WAV, FLAC or MP3 file as its header, its comment and its name tell it.

    `frames` is how many it gives and `promised` how many its header says (0: it does
    not); `begin_from` says whether `begin` is of the comment that `save` wrote, or of the
    name; `gaps` are the comment's.  `whole` says that samples are counts, not fractions.
    `fault` says why it gives no sound or why its time is unknown, or "": its frames are
    counted all the same.
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
    true_rate_hz: float = 0.0


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
            channels, whole = file.channels, is_whole(file, note)
            promised = file.frames if file.frames < _UNKNOWN else 0
    except DataError as error:
        return AudioReport(path.name, path.stat().st_size, fault=_reason(error, path))
    told = AudioReport(
        path.name,
        path.stat().st_size,
        *found[:2],
        rate_hz=rate_hz or found[2],
        channels=channels,
        promised=promised,
        frames=frames_of(path, promised or _UNKNOWN),
        whole=whole,
        gaps=note.gaps,
        true_rate_hz=true_rate_hz(rate_hz or found[2], clock_ratio(note, path)),
    )
    if not told.frames:
        return replace(told, fault="found no sound in it")
    try:
        track = replace(audio_track(path, rate_hz), frames=told.frames)
    except DataError as error:
        return replace(told, fault=_reason(error, path))
    return replace(
        told,
        begin=from_us(track.begin_us),
        end=from_us(track.end_us),
        begin_from="comment" if note.begin else "name",
    )


def _reason(error: DataError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
