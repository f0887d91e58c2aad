import ctypes
import errno
import shutil
import threading
from pathlib import Path

import pytest

from daemon.drop.watch import Watch
from tests.daemon.conftest import until


def test_whatever_way_a_file_comes_there_is_a_hint(tmp_path: Path) -> None:
    drop, beside = tmp_path / "drop", tmp_path / "beside"
    (drop / "sub").mkdir(parents=True)
    with Watch(drop) as watch:
        assert watch.arm()
        watch.hint.clear()

        def hinted() -> None:
            until(watch.hint.is_set)
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
            until(lambda: "written" in watch.grown())
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
        until(watch.hint.is_set)
        shutil.rmtree(drop)
        assert not watch.arm()


@pytest.mark.parametrize("lacking", ["inotify_init", "inotify_add_watch"])
def test_without_inotify_left_nothing_is_watched_nothing_is_kept_and_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    def none_left(*_: object) -> int:
        ctypes.set_errno(errno.EMFILE)
        return -1

    with Watch(tmp_path) as watch:
        assert watch.arm()
        watch._disarm()  # whatever is loaded but once is loaded now
        before = _held()
        with monkeypatch.context() as patch:
            patch.setattr(f"watchdog.observers.inotify_c.{lacking}", none_left)
            assert not any(watch.arm() for _ in range(5))
        until(lambda: _held() == before)
        assert watch.arm()


def _held() -> tuple[int, int]:
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
