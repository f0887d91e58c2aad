"""Recordings to evaluate on: as labelled, and with clips mixed into their background."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import soundfile  # type: ignore[import-untyped]

from acoio.clock import record_us, to_us
from acoio.errors import DataError, NotReadyError
from acoio.header import RECORD_SAMPLES
from acoio.sound import Gap, Sound
from detector.config import FeatureSettings
from detector.evaluation.data import first_scored, mix_into
from detector.evaluation.labels import BACKGROUND, Label
from detector.evaluation.values import Call, Piece
from detector.training.clips import Clip, clip_of
from detector.training.mixing import SNRS_DB, Place, plan
from detector.training.recordings import sounds, windows_of
from detector.values import Span

MOST_BACKGROUND_S: Final = 3600.0
"""As much of the labelled background is mixed into; an hour of samples are 350 MB."""

_MOST_PASSES: Final = 40
Background: TypeAlias = tuple[Sound, Span]


def labelled(files: Iterable[Path], labels: Sequence[Label], features: FeatureSettings) -> Piece:
    """Return recordings as one piece: quiet where labelled as background."""
    truths = [label.truth for label in labels]
    calls = [truth for truth in truths if truth.label != BACKGROUND]
    quiet = tuple((t.begin, t.end) for t in truths if t.label == BACKGROUND)
    return Piece(
        "recordings",
        windows_of(files, features),
        tuple(Call(truth, f"call {k}") for k, truth in enumerate(calls)),
        (),
        quiet,
        told=False,
    )


def backgrounds(
    files: Iterable[Path], labels: Sequence[Label], features: FeatureSettings
) -> list[Background]:
    """Return the stretches labelled as background, each with the minute before it.

    Of a stretch that a gap breaks, the longest part; an hour in all at most.
    """
    lead_us = (first_scored(features) // RECORD_SAMPLES + 1) * record_us(features.rate_hz)
    spans = [(t.begin, t.end) for t in (x.truth for x in labels) if t.label == BACKGROUND]
    parts: list[list[list[Sound]]] = [[[]] for _ in spans]
    for piece in sounds(files, features.rate_hz):
        for (begin, end), runs in zip(spans, parts, strict=True):
            if isinstance(piece, Gap):
                runs.append([])
            elif cut := _records_in(piece, to_us(begin) - lead_us, to_us(end)):
                runs[-1].append(cut)
    found: list[Background] = []
    left_s = MOST_BACKGROUND_S
    for span, runs in zip(spans, parts, strict=True):
        sound = max((_joined(run) for run in runs if run), key=_length, default=None)
        if sound and _length(sound) / features.rate_hz <= left_s:
            left_s -= _length(sound) / features.rate_hz
            found.append((sound, span))
    return found


def with_clips(
    found: Sequence[Background], clips: Sequence[Clip], features: FeatureSettings, *, seed: int
) -> list[Iterator[Piece]]:
    """Return passes over backgrounds with clips in them, so many that each clip meets each SNR.

    One background is heard again and again, under other calls: its pieces have one name.
    """
    lead = first_scored(features)
    rooms = [(max(lead, s.index_of(span[0])), s.index_of(span[1])) for s, span in found]
    lengths = [len(clip.waveform) for clip in clips]
    once = sum(map(len, plan(rooms, lengths, seed=seed)))
    if not once:
        return []
    passes = min(math.ceil(len(clips) * len(SNRS_DB) / once), _MOST_PASSES)
    plans = plan(rooms * passes, lengths, seed=seed)
    size = len(found)
    return [_pass(found, clips, plans[k : k + size], features) for k in range(0, len(plans), size)]


def read_clips(
    folder: Path, wanted: Sequence[tuple[str, str]], range_hz: tuple[float, float]
) -> tuple[list[Clip], list[str]]:
    """Return the clips of a folder, by file and label, and why others cannot be used.

    Raises
    ------
    DataError
        If none can.
    """
    clips: list[Clip] = []
    faults: list[str] = []
    for name, label in wanted:
        try:
            samples, rate_hz = _read(folder / name)
            clips.append(clip_of(samples, rate_hz, name=name, label=label, range_hz=range_hz))
        except (DataError, NotReadyError) as error:
            faults.append(str(error))
    if not clips:
        raise DataError("\n".join([f"{folder}: found no clip that can be mixed", *faults[:9]]))
    return clips, faults


def _read(path: Path) -> tuple[np.ndarray, int]:
    try:
        samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path}: found no sound file: {error.error_string}") from error
    except OSError as error:
        raise NotReadyError(f"{path}: {error.strerror}") from error
    return samples, int(rate_hz)


def _pass(
    found: Sequence[Background],
    clips: Sequence[Clip],
    plans: Sequence[list[Place]],
    features: FeatureSettings,
) -> Iterator[Piece]:
    for (sound, span), places in zip(found, plans, strict=True):
        windows, calls = mix_into(sound, clips, places, features)
        if windows:
            yield Piece(f"background {span[0]:%FT%T}", [windows], calls, (), (span,))


def _records_in(sound: Sound, begin_us: float, end_us: float) -> Sound | None:
    """Return the whole records of a sound that begin within a span."""
    inside = np.flatnonzero((sound.marks_us >= begin_us) & (sound.marks_us < end_us))
    if not len(inside):
        return None
    first, last = int(inside[0]), int(inside[-1]) + 1
    return Sound(
        sound.samples[first * RECORD_SAMPLES : last * RECORD_SAMPLES],
        sound.rate_hz,
        sound.marks_us[first:last],
        file=sound.file,
        sample=sound.sample + first * RECORD_SAMPLES,
    )


def _joined(run: Sequence[Sound]) -> Sound:
    return Sound(
        np.concatenate([sound.samples for sound in run]),
        run[0].rate_hz,
        np.concatenate([sound.marks_us for sound in run]),
        file=run[0].file,
        sample=run[0].sample,
    )


def _length(sound: Sound) -> int:
    return len(sound.samples)
