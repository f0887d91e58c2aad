"""Read ACO hydrophone recordings: archives, files, records, clocks, sounds, levels."""

from datetime import datetime, timedelta

from acoio.annotations import Annotation, FileSpan, Timeline
from acoio.archive import ACDio, ACOio
from acoio.audacity import read_audacity, write_audacity
from acoio.audio import read_audio
from acoio.calibration import COUNTS, Calibration
from acoio.clock_errors import ClockError, ClockErrors, known_clock_errors, read_clock_errors
from acoio.coverage import Coverage, FileCover
from acoio.errors import AcoError, DataError, NotReadyError, SetupError
from acoio.filename import FileName, parse_filename
from acoio.join import OverlapWarning
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

__all__ = [
    "COUNTS",
    "ACDio",
    "ACOio",
    "AcoError",
    "Annotation",
    "Autocorrelation",
    "Calibration",
    "Cepstrum",
    "Chunk",
    "ClockError",
    "ClockErrors",
    "Coverage",
    "Damage",
    "DataError",
    "DecidecadeLevels",
    "Fault",
    "FileCover",
    "FileName",
    "FileReport",
    "FileSpan",
    "Gap",
    "Levels",
    "LogSpectrogram",
    "MelSpectrogram",
    "Mfcc",
    "NotReadyError",
    "OverlapWarning",
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
    "parse_filename",
    "read",
    "read_audacity",
    "read_audio",
    "read_chunk",
    "read_chunks",
    "read_clock_errors",
    "read_raven",
    "read_span",
    "timedelta",
    "write",
    "write_audacity",
    "write_raven",
]
