"""What `kilokai score` says of files that it cannot score is true of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from daemon.hearing.batch import nothing_in, recordings, score_files
from detector.scoring.listen import Listener
from tests.daemon.fakes import LoudnessScorer


def _faults(path: Path) -> list[str]:
    ear = Listener(LoudnessScorer(), station="aco")  # type: ignore[arg-type]
    files = recordings([path], band="BB")
    return score_files(files, ear, 24_000.0, told=lambda _: None).faults


@pytest.mark.parametrize("name", ["x.wav", "20240115T120000-0800.wav", "x.mseed"])
def test_nobody_is_asked_to_rename_a_file_of_another_recorder(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, np.zeros(900), 24_000, format="WAV")
    (fault,) = _faults(tmp_path / name)
    assert "files of other recorders cannot be scored yet, whatever their names" in fault


def test_a_rate_that_is_not_the_models_is_told_with_both(tmp_path: Path) -> None:
    path = tmp_path / "2024-03-01--06.00.HYD96BBpk"
    path.write_bytes(b"x")
    assert _faults(path) == [f"{path}: found 96000 Hz in the name, wanted the model's 24000 Hz"]


def test_a_folder_without_recordings_is_told_with_what_is_there(tmp_path: Path) -> None:
    for name in ("2024-03-01--06.00.HYD24HFpk", "x.wav", "y.flac", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert recordings([tmp_path], band="BB") == []
    assert nothing_in([tmp_path], band="BB") == (
        f"found no recording of band BB in {tmp_path}; 1 of another band: see drop.band; "
        "2 of WAV, FLAC or MP3: files of other recorders cannot be scored yet"
    )
