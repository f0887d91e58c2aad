import os
import shutil
from pathlib import Path

import pytest

from acoio.errors import NotReadyError
from daemon.watch import Watch, scan
from tests.daemon.conftest import until


def test_the_scan_finds_files_at_any_depth_and_follows_no_link(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    (drop / "2018" / "10").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    (drop / "2018" / "10" / "a").write_bytes(b"12345")
    (drop / "link").symlink_to(tmp_path / "outside")
    (drop / "loop").symlink_to(drop)
    Path(os.fsdecode(bytes(drop) + b"/\xff\xfe")).touch()
    found = {seen.name: seen for seen in scan(drop)}
    assert found.keys() == {"2018/10/a", "link", "loop"}
    assert (found["2018/10/a"].size, found["2018/10/a"].regular) == (5, True)
    assert not found["link"].regular


def test_a_drop_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        scan(tmp_path / "none")


def test_whatever_way_a_file_comes_there_is_a_hint(tmp_path: Path) -> None:
    drop, beside = tmp_path / "drop", tmp_path / "beside"
    (drop / "sub").mkdir(parents=True)
    with Watch(drop) as watch:
        assert watch.arm()
        watch.hint.clear()

        def hinted() -> None:
            until(watch.hint.is_set, deadline_s=5)
            watch.hint.clear()

        (drop / "written").write_text("a")
        hinted()
        beside.write_text("b")
        beside.rename(drop / "sub" / "renamed")
        hinted()
        (drop / "linked").hardlink_to(drop / "written")
        hinted()
        with (drop / "written").open("a") as growing:
            growing.write("more")
        hinted()


def test_a_folder_that_was_replaced_is_watched_anew(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    with Watch(drop) as watch:
        assert watch.arm()
        drop.rename(tmp_path / "away")
        assert not watch.arm()
        drop.mkdir()
        assert watch.arm()
        until(watch.hint.is_set)
        watch.hint.clear()
        (drop / "file").touch()
        until(watch.hint.is_set, deadline_s=5)
        shutil.rmtree(drop)
        assert not watch.arm()
