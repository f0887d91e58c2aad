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

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from acoio.audio_file import FORMATS, clock_ratio, is_audio, opened, samples_of
from acoio.audio_note import comment_of, note_of
from acoio.clock import record_us, to_us
from acoio.errors import DataError, NotReadyError
from acoio.filename import begin_of_name
from acoio.header import RECORD_SAMPLES
from acoio.output import output
from acoio.sound import Gap, Sound

__all__ = ["FORMATS", "is_audio", "read_audio", "save"]

_WIDTHS: Final = {"WAV": (16, 24, 32), "FLAC": (16, 24)}
_MP3_HZ: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # MPEG-1, 2, 2.5
_FLAC_HZ: Final = range(1, 655_351)  # what its frames can say
_AT_ONCE: Final = 1 << 18  # frames of a file read in one go, whatever its header says
_HEADROOM: Final = 1 + 2.0**-22  # a peak of exactly full scale would be clipped


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
        If it is no such file, holds no sound, or has channels that differ.
    NotReadyError
        If it cannot be read.
    IndexError
        If the file holds no sound in the span.
    """
    path = Path(path)
    with opened(path) as file:
        note, rate = note_of(file.comment), rate_hz or float(file.samplerate)
        first, last = span or (0, file.frames)
        first, last = max(first, 0), min(last, file.frames)
        if first < last:
            file.seek(first)
        samples = list(samples_of(file, last - first, note, at_once=_AT_ONCE, path=path))
        if not samples and span is None:
            raise DataError(f"{path}: found no sound in it")
        if not samples:
            raise IndexError(f"{path}: no sound in samples {span}, of {file.frames}")
    when, ratio = begin or note.begin or begin_of_name(path), clock_ratio(note, path)
    offsets = (first + np.arange(0, sum(map(len, samples)), RECORD_SAMPLES)) / RECORD_SAMPLES
    marks_us = to_us(when) + np.rint(offsets * record_us(rate, ratio)).astype(np.int64)
    whole = np.concatenate(samples)
    sound = Sound(whole, rate, marks_us, file=path.name, sample=first, clock_ratio=ratio)
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
        If the extension is none of these, the format does not have the rate, FLAC is
        asked to hold counts of over 24 bits, or WAV more gaps than its comment can.
    NotReadyError
        If it cannot be written.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        wanted = ", ".join(FORMATS)
        raise ValueError(f"{path}: found the extension {path.suffix!r}, wanted one of {wanted}")
    _check_rate(sound.rate_hz, form, path)
    samples, subtype, scale = _kept(sound.samples, form, path)
    comment = comment_of(sound, scale)
    with output(path) as file:
        _write(file, path, samples, round(sound.rate_hz), (form, subtype), comment)
        _check_comment(file, comment, path)


def _check_rate(rate_hz: float, form: str, path: Path) -> None:
    if rate_hz != round(rate_hz):
        raise ValueError(f"{path}: found a rate of {rate_hz} Hz, wanted a whole number")
    if form == "MP3" and rate_hz not in _MP3_HZ:
        wanted = ", ".join(str(hz) for hz in _MP3_HZ)
        raise ValueError(f"{path}: found a rate of {rate_hz:.0f} Hz, wanted one of {wanted} in MP3")
    if form == "FLAC" and rate_hz not in _FLAC_HZ:
        raise ValueError(f"{path}: found a rate of {rate_hz:.0f} Hz, wanted up to 655350 in FLAC")


def _check_comment(written: BinaryIO, comment: str, path: Path) -> None:
    """Raise if a file lost its comment: libsndfile drops one of over 2 kB from a WAV."""
    written.seek(0)
    with soundfile.SoundFile(written) as file:
        if file.comment != comment:
            raise ValueError(
                f"{path}: found too many gaps for its comment of {len(comment)} letters, "
                "wanted fewer: or FLAC"
            )


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
    raw: BinaryIO,
    path: Path,
    samples: NDArray[Any],
    rate: int,
    kind: tuple[str, str],
    comment: str,
) -> None:
    form, subtype = kind
    try:
        with soundfile.SoundFile(raw, "w", rate, 1, format=form, subtype=subtype) as file:
            file.comment = comment
            file.write(samples)
    except soundfile.LibsndfileError as error:
        raise NotReadyError(f"{path}: cannot be written as {form} {subtype}: {error}") from error
