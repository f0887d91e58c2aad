"""What `examine` tells of WAV, FLAC and MP3."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from acoio.audio_report import AudioReport
from acoio.errors import DataError
from acoio.load import examine, read
from acoio.sound import Gap

from .archives import MINUTES, minute_sound


def _report(path: Path) -> AudioReport:
    report = examine(path)
    assert isinstance(report, AudioReport)
    return report


def test_a_saved_sound_is_told_with_its_begin_and_gaps(tmp_path: Path) -> None:
    sound = minute_sound(1)
    gap = Gap(sound.time_of(1000), sound.time_of(90_000))
    path = tmp_path / "snip.wav"
    replace(sound, gaps=(gap,)).save(path)
    report = _report(path)
    assert (report.format, report.subtype, report.rate_hz) == ("WAV", "PCM_16", 24_000)
    assert (report.frames, report.promised) == (len(sound.samples), len(sound.samples))
    assert (report.begin, report.begin_from, report.fault) == (sound.begin, "comment", "")
    assert report.gaps == (gap,)


def test_of_another_file_the_name_tells_the_begin(tmp_path: Path) -> None:
    path = tmp_path / "20240301-000100.flac"
    soundfile.write(path, np.ones(900, np.int16), 44_100)
    report = _report(path)
    assert (report.begin, report.begin_from) == (MINUTES[3], "name")
    assert (report.rate_hz, report.frames) == (44_100, 900)


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").write_bytes(b"")
    soundfile.write(tmp_path / "nameless.wav", np.ones(900, np.int16), 44_100)
    assert "no sound file" in _report(tmp_path / "empty.mp3").fault
    nameless = _report(tmp_path / "nameless.wav")
    assert "found no time in 'nameless.wav'" in nameless.fault
    assert (nameless.format, nameless.begin, nameless.begin_from) == ("WAV", None, "")


def test_what_is_neither_is_told_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t6.py"
    path.write_text("import acoio")
    for look in (examine, read):
        with pytest.raises(DataError, match=r"'t6\.py'.*HYD24BBpk.* or \.wav, \.flac or \.mp3"):
            look(path)
