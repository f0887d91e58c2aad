import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.health.status_file import STATUS_FILE, last_said
from daemon.models.entry import entry_of
from detector.errors import ModelError
from detector.files import model_folder, read_regular
from detector.scoring.checkpoint import read_model
from detector.scoring.fingerprint import CARD, TENSORS


def _huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


_PLANTED: list[Callable[[Path], object]] = [
    os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), _huge,
]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("plant", _PLANTED)
@pytest.mark.parametrize("name", [CARD, TENSORS])
def test_a_model_of_what_is_no_file_is_refused_at_once(
    tmp_path: Path, name: str, plant: Callable[[Path], object]
) -> None:
    folder = tmp_path / "ocean-v1-728245f9"
    shutil.copytree(model_folder("ocean-v1"), folder)
    (folder / name).unlink()
    plant(folder / name)
    with pytest.raises(ModelError, match=rf"{name}: found"):
        read_model(folder)
    assert f"{name}: found" in entry_of(folder, None).fault


@pytest.mark.timeout(60)
def test_a_status_of_what_is_no_file_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / STATUS_FILE)
    assert last_said(tmp_path) == ({}, 0.0)


def test_a_file_is_read_whole_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert read_regular(path, 3) == b"abc"
    with pytest.raises(OSError, match="found 3 bytes, wanted at most 2"):
        read_regular(path, 2)
