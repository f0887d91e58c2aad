"""WAV, FLAC and MP3 ↔ Sound, through soundfile.

How counts are kept.  Counts are written as the whole numbers that they are: a count
of -1234 is the sample -1234 of the file.  The file's samples are as narrow as holds
them all, 16, 24 or (WAV alone) 32 bits, so nothing is scaled and nothing is lost;
most players will find such a file quiet.  Fractions (float32 sounds) are kept as
they are in a WAV of 32-bit floats.  FLAC holds no floats and MP3 no exact samples:
there the samples are scaled by a power of two to just under full scale, and FLAC
rounds them to 24 bits.  The file's comment says the begin, the scale and the gaps,
and `read_audio` undoes the scale.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from acoio.clock import record_us, to_us
from acoio.errors import DataError, NotReadyError
from acoio.filename import begin_of_name
from acoio.header import RECORD_SAMPLES
from acoio.reader import open_at_once
from acoio.sound import Gap, Sound

FORMATS: Final = {".wav": "WAV", ".flac": "FLAC", ".mp3": "MP3"}

_BITS: Final = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_WIDTHS: Final = {"WAV": (16, 24, 32), "FLAC": (16, 24)}
_MARK: Final = "acoio "
_HEADROOM: Final = 1 + 2.0**-22  # a peak of exactly full scale would be clipped


@dataclass(frozen=True, slots=True)
class _Note:
    """What a file's comment says; a count is the share `count` of full scale."""

    begin: datetime | None = None
    count: float | None = None
    fractions: bool = False
    gaps: tuple[Gap, ...] = ()


def is_audio(path: str | Path) -> bool:
    """Say whether a name has the extension of a format that is read here."""
    return Path(path).suffix.lower() in FORMATS


def read_audio(
    path: str | Path,
    *,
    begin: datetime | None = None,
    rate_hz: float | None = None,
    span: tuple[int, int] | None = None,
) -> Sound:
    """Return a WAV, FLAC or MP3 file as a Sound: int32 where it holds whole numbers.

    It begins at `begin`, or when the comment says that `save` wrote, or when its
    name says; the rate is `rate_hz`, or the file's.  A file that `save` did not write
    gives its whole numbers as counts, and floats in full scales.  `span` (first,
    last) takes a piece by its samples.

    Raises
    ------
    FilenameError
        If nothing says when it begins.
    DataError
        If it is no such file, or has channels that differ.
    NotReadyError
        If it cannot be read.
    IndexError
        If the file holds no sound in the span.
    """
    path = Path(path)
    with _opened(path) as file:
        note, rate = _note(file.comment), rate_hz or float(file.samplerate)
        first, last = span or (0, file.frames)
        first, last = max(first, 0), min(last, file.frames)
        if first >= last:
            raise IndexError(f"{path}: no sound in samples {span}, of {file.frames}")
        file.seek(first)
        samples = _samples(file, last - first, note, path)
    sound = _sound(samples, rate, begin or note.begin or begin_of_name(path), first, path.name)
    inside = [gap for gap in note.gaps if gap.begin < sound.end and sound.begin < gap.end]
    return replace(
        sound,
        gaps=tuple(Gap(max(g.begin, sound.begin), min(g.end, sound.end)) for g in inside),
    )


def save(sound: Sound, path: str | Path) -> None:
    """Write a sound as WAV, FLAC or MP3, by the extension, in one step.

    See the module for how counts are kept.  The begin goes into the comment, to the
    microsecond, with the gaps.

    Raises
    ------
    ValueError
        If the extension is none of these, the rate is no whole number of Hz, or
        FLAC is asked to hold counts of over 24 bits.
    NotReadyError
        If it cannot be written.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        wanted = ", ".join(FORMATS)
        raise ValueError(f"{path}: found the extension {path.suffix!r}, wanted one of {wanted}")
    if sound.rate_hz != round(sound.rate_hz):
        raise ValueError(f"{path}: found a rate of {sound.rate_hz} Hz, wanted a whole number")
    samples, subtype, scale = _kept(sound.samples, form, path)
    half = path.with_name(f".{path.name}.tmp")
    try:
        _write(half, samples, round(sound.rate_hz), (form, subtype), _comment(sound, scale))
        half.replace(path)
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    finally:
        half.unlink(missing_ok=True)


def _kept(samples: NDArray[Any], form: str, path: Path) -> tuple[NDArray[Any], str, float]:
    """Return the samples as they are written, the file's subtype, and the scale.

    One count is `scale` of the file's full scale.
    """
    low, high = (float(samples.min(initial=0)), float(samples.max(initial=0)))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{path}: found samples that are no numbers")
    if samples.dtype.kind == "i" and form in _WIDTHS:
        for bits in _WIDTHS[form]:
            if -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1):
                return samples.astype(np.int32) << (32 - bits), f"PCM_{bits}", 2.0 ** (1 - bits)
        raise ValueError(
            f"{path}: found counts from {low:.0f} to {high:.0f}, wanted 24 bits: or WAV"
        )
    if form == "WAV":
        return samples.astype(np.float32), "FLOAT", 1.0
    peak = max(high, -low) * _HEADROOM
    scale = 2.0 ** -math.ceil(math.log2(peak)) if peak else 1.0
    scaled = samples.astype(np.float32) * np.float32(scale)
    return scaled, "PCM_24" if form == "FLAC" else "MPEG_LAYER_III", scale


def _write(
    path: Path, samples: NDArray[Any], rate: int, kind: tuple[str, str], comment: str
) -> None:
    form, subtype = kind
    try:
        with path.open("wb") as raw:
            file = soundfile.SoundFile(raw, "w", rate, 1, format=form, subtype=subtype)
            with file:
                file.comment = comment
                file.write(samples)
    except soundfile.LibsndfileError as error:
        raise NotReadyError(f"{path}: cannot be written as {form} {subtype}: {error}") from error


def _comment(sound: Sound, scale: float) -> str:
    note = {
        "begin": sound.begin.isoformat(),
        "count": scale,
        "float": sound.samples.dtype.kind != "i",
        "gaps": [[gap.begin.isoformat(), gap.end.isoformat()] for gap in sound.gaps],
    }
    return _MARK + json.dumps(note)


def _note(comment: str) -> _Note:
    """Return what a comment says, nothing if `save` did not write it."""
    if not comment.startswith(_MARK):
        return _Note()
    try:
        note = json.loads(comment.removeprefix(_MARK))
        gaps = tuple(Gap(_time(begin), _time(end)) for begin, end in note["gaps"])
        found = _Note(_time(note["begin"]), float(note["count"]), bool(note["float"]), gaps)
    except (ValueError, TypeError, KeyError):
        return _Note()  # a comment that somebody has changed
    return found if found.count and 2.0**-64 < found.count < 2.0**64 else _Note()


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    try:
        handle = open_at_once(os.fspath(path), os.O_RDONLY)
        with os.fdopen(handle, "rb") as raw, soundfile.SoundFile(raw) as file:
            yield file
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path}: found no sound file: {error.error_string}") from error


def _samples(file: soundfile.SoundFile, frames: int, note: _Note, path: Path) -> NDArray[Any]:
    """Return frames of a file from where it stands, as counts, `(n,)`."""
    bits = _BITS.get(file.subtype)
    kind = "float32" if bits is None or note.fractions else "int32"
    samples = file.read(frames, dtype=kind, always_2d=True)
    if (samples != samples[:, :1]).any():
        raise DataError(f"{path}: found {samples.shape[1]} channels that differ, wanted one")
    one: NDArray[Any] = np.ascontiguousarray(samples[:, 0])
    if bits is not None and not note.fractions:
        return one >> np.int32(32 - bits)
    if not np.isfinite(one).all():
        raise DataError(f"{path}: found samples that are no numbers")
    return one / np.float32(note.count or 1.0)


def _sound(samples: NDArray[Any], rate_hz: float, begin: datetime, first: int, name: str) -> Sound:
    offsets = (first + np.arange(0, len(samples), RECORD_SAMPLES)) / RECORD_SAMPLES
    marks_us = to_us(begin) + np.rint(offsets * record_us(rate_hz)).astype(np.int64)
    return Sound(samples, rate_hz, marks_us, file=name, sample=first)
