"""Read ACO hydrophone recordings: archives, files, records, clocks, sounds, levels."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from acoio.annotations import Annotation, FileSpan, Timeline
from acoio.archive import ACDio, ACOio
from acoio.audacity import read_audacity, write_audacity
from acoio.audio import read_audio
from acoio.audio_report import AudioReport
from acoio.calibration import COUNTS, Calibration
from acoio.clock_errors import ClockError, ClockErrors, known_clock_errors, read_clock_errors
from acoio.coverage import Coverage, FileCover
from acoio.errors import AcoError, DamageWarning, DataError, NotReadyError, SetupError
from acoio.filename import FileName, parse_filename
from acoio.join import OverlapWarning
from acoio.labels import Label, read_labels, write_labels
from acoio.levels import DecidecadeLevels, Levels
from acoio.load import read, read_span
from acoio.mel import MelSpectrogram, Mfcc
from acoio.raven import read_raven, write_raven
from acoio.reader import Chunk, read_chunk, read_chunks
from acoio.record import Damage, Record
from acoio.report import Fault, FileReport, examine
from acoio.sound import Gap, Sound
from acoio.spectra import Autocorrelation, Cepstrum, PowerSpectrum
from acoio.spectrogram import LogSpectrogram, Spectrogram, Stft
from acoio.writer import write

if TYPE_CHECKING:
    from acoio.labelling import Labeller, label_page, labeller
    from acoio.player import Player, listen

__all__ = [
    "COUNTS",
    "ACDio",
    "ACOio",
    "AcoError",
    "Annotation",
    "AudioReport",
    "Autocorrelation",
    "Calibration",
    "Cepstrum",
    "Chunk",
    "ClockError",
    "ClockErrors",
    "Coverage",
    "Damage",
    "DamageWarning",
    "DataError",
    "DecidecadeLevels",
    "Fault",
    "FileCover",
    "FileName",
    "FileReport",
    "FileSpan",
    "Gap",
    "Label",
    "Labeller",
    "Levels",
    "LogSpectrogram",
    "MelSpectrogram",
    "Mfcc",
    "NotReadyError",
    "OverlapWarning",
    "Player",
    "PowerSpectrum",
    "Record",
    "SetupError",
    "Sound",
    "Spectrogram",
    "Stft",
    "Timeline",
    "datetime",
    "examine",
    "known_clock_errors",
    "label_page",
    "labeller",
    "listen",
    "parse_filename",
    "read",
    "read_audacity",
    "read_audio",
    "read_chunk",
    "read_chunks",
    "read_clock_errors",
    "read_labels",
    "read_raven",
    "read_span",
    "timedelta",
    "write",
    "write_audacity",
    "write_labels",
    "write_raven",
]

# These draw, and matplotlib takes longer to import than all the rest.
_DRAWN = {
    "Labeller": "acoio.labelling",
    "Player": "acoio.player",
    "label_page": "acoio.labelling",
    "labeller": "acoio.labelling",
    "listen": "acoio.player",
}


def __getattr__(name: str) -> Any:
    if name not in _DRAWN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_DRAWN[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
