"""WAV, FLAC and MP3 files as they are opened and read: bounded, whatever their headers say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from acoio.audio_note import Note
from acoio.clock import ACO_RATIO
from acoio.errors import DataError, NotReadyError
from acoio.filename import is_of_observatory
from acoio.reader import open_at_once

FORMATS: Final = {".wav": "WAV", ".flac": "FLAC", ".mp3": "MP3"}

_BITS: Final = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def is_audio(path: str | Path) -> bool:
    """Say whether a name has the extension of a format that is read here."""
    return Path(path).suffix.lower() in FORMATS


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read on and on: soundfile asks the header for no count of frames."""

    def seekable(self) -> bool:
        return False


@contextmanager
def opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open a sound file for reading.

    Raises
    ------
    DataError
        If it is none, or what is read of it is broken.
    NotReadyError
        If it cannot be read.
    """
    try:
        handle = open_at_once(os.fspath(path), os.O_RDONLY)
        with os.fdopen(handle, "rb") as raw, _Stream(raw.fileno(), closefd=False) as file:
            yield file
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    except soundfile.LibsndfileError as error:
        reason = error.error_string if path.stat().st_size else "empty file"
        raise DataError(f"{path}: found no sound file: {reason}") from error


def clock_ratio(note: Note, path: Path) -> float:
    """Return the true rate of a file over its nominal one: the observatory's for its copies.

    Of other recorders it is taken as 1: nothing says otherwise.
    """
    return note.clock_ratio or (ACO_RATIO if is_of_observatory(path) else 1.0)


def is_whole(file: soundfile.SoundFile, note: Note) -> bool:
    """Say whether a file holds whole numbers, which are counts."""
    return file.subtype in _BITS and not note.fractions


def samples_of(
    file: soundfile.SoundFile, frames: int, note: Note, *, at_once: int, path: Path
) -> Iterator[NDArray[Any]]:
    """Yield up to `frames` of a file from where it stands, `at_once` or fewer at a time.

    Raises
    ------
    DataError
        If it has channels that differ, or samples that are no numbers.
    """
    for first in range(0, frames, at_once):
        wanted = min(at_once, frames - first)
        block = _block(file, wanted, note, path)
        if len(block):
            yield block
        if len(block) < wanted:
            return


def _block(file: soundfile.SoundFile, frames: int, note: Note, path: Path) -> NDArray[Any]:
    """Return up to so many frames of a file from where it stands, as counts, `(n,)`."""
    whole = is_whole(file, note)
    samples = file.read(frames, dtype="int32" if whole else "float32", always_2d=True)
    if not whole and not np.isfinite(samples).all():
        raise DataError(f"{path}: found samples that are no numbers")
    if (samples != samples[:, :1]).any():
        raise DataError(f"{path}: found {samples.shape[1]} channels that differ, wanted one")
    one: NDArray[Any] = np.ascontiguousarray(samples[:, 0])
    if whole:
        return one >> np.int32(32 - _BITS[file.subtype])
    return one / np.float32(note.count or 1.0)
