import shutil
from pathlib import Path

from daemon.watch import Watch
from tests.daemon.conftest import until


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
        watch.grown()
        with (drop / "written").open("a") as growing:
            growing.write("more")
            growing.flush()
            until(lambda: "written" in watch.grown(), deadline_s=5)
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
