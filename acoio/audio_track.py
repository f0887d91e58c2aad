"""The track of a WAV, FLAC or MP3 file, by its header, its comment and its name."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from acoio.audio_file import clock_ratio, is_whole, opened, samples_of
from acoio.audio_note import note_of
from acoio.clock import JUMP_US, from_us, record_us, to_us
from acoio.errors import DataError, FilenameError
from acoio.filename import HIGHEST_HZ, begin_of_name
from acoio.header import EARLIEST_S, LATEST_S, RECORD_SAMPLES
from acoio.record_times import RecordTimes
from acoio.sound import Gap
from acoio.track import Marks

_AT_ONCE: Final = 1 << 15  # frames; what is broken costs no more than 1.4 s of sound around it
_PROBED: Final = 8192  # frames at the end that show whether the header's count is true
_LONGEST_S: Final = 7200.0  # what of a file lies later than this is not looked for
_ROUNDING: Final = 1.5e-6  # seconds, as a Sound counts


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """The sound of an audio file: `frames` that are evenly spaced, but for its gaps."""

    path: Path
    rate_hz: float
    begin_us: int
    frames: int
    gaps: tuple[Gap, ...]
    whole: bool
    layout: str
    size_bytes: int
    clock_ratio: float
    bits: tuple[tuple[int, int], ...] = ()
    damaged_bytes: int = 0
    fault: str = ""

    @property
    def _record_us(self) -> float:
        return record_us(self.rate_hz, self.clock_ratio)

    @property
    def end_us(self) -> int:
        """When the last frame ends."""
        return int(self._times_us(np.array(self.frames)))

    def marks(self, records: RecordTimes) -> Marks:  # noqa: ARG002
        """Return when every 4096th sample between the gaps is."""
        spans = list(self._between_gaps())
        firsts = [np.arange(a, b, RECORD_SAMPLES) for a, b in spans]
        counts = [
            np.minimum(b - k, RECORD_SAMPLES) for k, (_, b) in zip(firsts, spans, strict=True)
        ]
        first = np.concatenate([np.empty(0, np.int64), *firsts])
        count = np.concatenate([np.empty(0, np.int64), *counts])
        return Marks(first, count, self._times_us(first), np.zeros_like(first))

    def read(self, first: int, count: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the samples, and pass over what cannot be decoded."""
        at, end = first, first + count
        while at < end:
            try:
                for samples in self._from(at, end):
                    yield at, samples
                    at += len(samples)
            except DataError:
                pass  # told as a gap, since nothing is yielded for it
            if at < end:
                at = min((at // _AT_ONCE + 1) * _AT_ONCE, end)

    def _from(self, first: int, end: int) -> Iterator[NDArray[Any]]:
        with opened(self.path) as file:
            note = note_of(file.comment)
            file.seek(first)
            yield from samples_of(file, end - first, note, at_once=_AT_ONCE, path=self.path)

    def _times_us(self, k: NDArray[np.int64]) -> NDArray[np.int64]:
        ran_us = np.rint(k / RECORD_SAMPLES * self._record_us)
        return self.begin_us + ran_us.astype(np.int64)

    def _between_gaps(self) -> Iterator[tuple[int, int]]:
        gaps_us = sorted((to_us(gap.begin), to_us(gap.end)) for gap in self.gaps)
        least = (JUMP_US + 2) / self._record_us * RECORD_SAMPLES
        at = 0
        for begin, end in ((self._at(a), self._at(b)) for a, b in gaps_us):
            if end - begin > least:  # a shorter one is none, here as between records
                if begin > at:
                    yield at, begin
                at = max(at, end)
        if at < self.frames:
            yield at, self.frames

    def _at(self, when_us: int) -> int:
        """Return the first sample at or after a time, within 0 to `frames`."""
        k = (when_us - self.begin_us) / self._record_us * RECORD_SAMPLES
        return min(max(math.ceil(k - _ROUNDING * self.rate_hz), 0), self.frames)


def audio_track(path: Path, rate_hz: float | None = None) -> AudioTrack:
    """Return the track of a file as it is now; the rate is `rate_hz`, or the file's.

    Of its sound no more is decoded than shows whether it begins, and ends, as the
    header says; where it does not end so, all of it is, a piece at a time.

    Raises
    ------
    FilenameError
        If nothing says when it begins.
    DataError
        If it is no such file, or holds no sound.
    NotReadyError
        If it cannot be read.
    """
    with opened(path) as file:
        note, told_hz, promised = note_of(file.comment), float(file.samplerate), file.frames
        whole, layout = is_whole(file, note), str(file.format)
        size_bytes = path.stat().st_size
        next(samples_of(file, RECORD_SAMPLES, note, at_once=RECORD_SAMPLES, path=path), None)
    rate = rate_hz or told_hz
    begin_us = to_us(note.begin or begin_of_name(path))
    if not 0 < rate <= HIGHEST_HZ:
        raise DataError(f"{path}: found a rate of {rate:g} Hz, wanted up to 500 kHz")
    if not EARLIEST_S <= begin_us / 1e6 < LATEST_S - _LONGEST_S:
        wanted = "wanted one from 2000 to two hours before 2100"
        raise FilenameError(f"{path}: found the begin {from_us(begin_us)}, {wanted}")
    frames = min(frames_of(path, promised), round(_LONGEST_S * rate))
    if not frames:
        raise DataError(f"{path}: found no sound in it")
    ratio = clock_ratio(note, path)
    return AudioTrack(path, rate, begin_us, frames, note.gaps, whole, layout, size_bytes, ratio)


def frames_of(path: Path, promised: int) -> int:
    """Return how many frames a file gives: as many as it promises if its end is there."""
    probed = min(promised, _PROBED)
    if _given(path, promised - probed, probed) == probed:
        return promised
    return _given(path, 0, sys.maxsize)


def _given(path: Path, first: int, frames: int) -> int:
    """Return how many of some frames a file gives before it ends or breaks."""
    given = 0
    try:
        with opened(path) as file:
            file.seek(first)
            while given < frames and (got := len(file.read(min(_AT_ONCE, frames - given)))):
                given += got
    except DataError:
        pass  # what it gave before counts
    return given
