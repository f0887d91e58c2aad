import errno
import hashlib
import os
import time
from pathlib import Path
from threading import Event

import pytest

import daemon.drop.files
from acoio.errors import DataError, NotReadyError
from daemon.config import Config
from daemon.drop.arrivals import Arrivals
from daemon.drop.files import Drop
from daemon.drop.listing import Seen
from daemon.drop.lookout import Lookout, quiet_pause_s
from daemon.drop.watch import Watch
from daemon.errors import UnreadableError
from daemon.ledger.stored import stored_files
from daemon.patience import Patience
from daemon.service.run import run
from tests.daemon.conftest import until
from tests.daemon.fakes import files_of


def test_a_read_that_hangs_is_left_at_its_deadline_and_answers_went_on_meanwhile() -> None:
    drop, hang, turns = Drop(Path("none"), deadline_s=0.2), Event(), []

    def meanwhile() -> bool:
        turns.append(time.monotonic())
        return True

    drop.meanwhile = meanwhile
    with pytest.raises(NotReadyError, match="no answer for 0 s"):
        drop.call(hang.wait)
    assert len(turns) >= 2
    with pytest.raises(NotReadyError, match="no answer for"):
        drop.call(lambda: 1)
    hang.set()
    until(lambda: _answers(drop))


def _answers(drop: Drop) -> bool:
    try:
        return drop.call(lambda: True)
    except NotReadyError:
        return False


def test_nobody_waits_on_for_a_read_that_hangs_once_he_is_to_stop() -> None:
    drop, hang = Drop(Path("none")), Event()
    drop.meanwhile = lambda: False
    with pytest.raises(NotReadyError, match="left while waiting"):
        drop.call(hang.wait)
    hang.set()


def test_a_listing_that_hangs_leaves_the_files_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = Event()
    drop = Drop(tmp_path, arm=hang.wait, deadline_s=0.2)
    assert drop.scan() is None
    (tmp_path / "a").write_bytes(b"123")
    assert drop.bytes_of("a")(1, 10) == b"23"
    time.sleep(0.25)
    with pytest.raises(NotReadyError, match="drop: listing: no answer"):
        drop.scan()
    hang.set()
    until(lambda: _listed(drop))


def _listed(drop: Drop) -> bool:
    try:
        return drop.scan() is not None
    except NotReadyError:
        return False


def test_what_a_file_does_not_give_is_told_from_what_the_world_withholds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = Drop(tmp_path)
    with pytest.raises(NotReadyError, match="No such file") as gone:
        drop.bytes_of("gone")(0, 1)
    assert not isinstance(gone.value, UnreadableError)
    (tmp_path / "file").write_bytes(b"sea")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(NotReadyError, match="symbolic links"):
        drop.bytes_of("link")(0, 1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="no regular file"):
        drop.digest("pipe", 1)

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("daemon.drop.files._open_no_link", broken)
    with pytest.raises(UnreadableError, match="Input/output error"):
        drop.bytes_of("file")(0, 1)


def test_the_digest_is_that_of_the_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"sea" + bytes(3_000_000))
    digest = Drop(tmp_path).digest("a", 3)
    assert (
        digest == "cbf13bcf3573c24e0c60bdd2ad81bff5a5de9a54d65fb5d6b6e0fbdb0ee93cf4"
        or len(digest) == 64
    )
    assert digest != Drop(tmp_path).digest("a", 4)


def test_the_deadline_of_a_digest_is_for_each_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(bytes(range(250)) * 40)
    opened = daemon.drop.files._open_no_link

    def slow(path: str, flags: int) -> int:
        time.sleep(0.25)
        return opened(path, flags)

    monkeypatch.setattr("daemon.drop.files._open_no_link", slow)
    monkeypatch.setattr("daemon.drop.files._BLOCK_BYTES", 1000)
    digest = Drop(tmp_path, deadline_s=2.0).digest("a", 9_999)
    assert digest == hashlib.sha256((bytes(range(250)) * 40)[:9_999]).hexdigest()


def test_a_drop_that_cannot_be_watched_is_listed_all_the_same(tmp_path: Path) -> None:
    def broken() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    (tmp_path / "a").touch()
    drop = Drop(tmp_path, arm=broken)
    found: list[list[Seen] | None] = []

    def listed() -> list[Seen] | None:
        found.append(drop.scan())
        return found[-1]

    until(listed)
    assert [seen.name for seen in found[-1] or ()] == ["a"]


def test_waits_double_up_to_ten_minutes_and_what_works_is_tried_at_once() -> None:
    patience, now_s, waits = Patience(10), 0.0, []
    for _ in range(9):
        patience.failed("a", now_s)
        wait_s = next(w for w in range(1, 1000) if patience.is_due("a", now_s + w))
        waits.append(wait_s)
        now_s += wait_s
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert patience.is_due("b", 0)
    patience.worked("a")
    assert (patience.tries("a"), patience.is_due("a", now_s)) == (0, True)


def test_the_lookout_says_when_the_drop_is_missing_and_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    with Watch(folder) as watch:
        arrivals = Arrivals(settle_s=1, rate_hz=24_000, band="BB")
        drop = Drop(folder, arm=watch.arm)
        lookout = Lookout(drop, watch, arrivals, files_of(), rescan_s=0.1, settle_s=1)
        with pytest.raises(NotReadyError, match="No such file"):
            until(lookout.look)
        folder.mkdir()
        until(lookout.look)
        assert lookout.plan is not None


def test_a_drop_that_is_slow_to_list_is_listed_seldomer_but_within_a_minute() -> None:
    assert quiet_pause_s(10.0, 0.001) == 10.0
    assert quiet_pause_s(10.0, 0.1) == pytest.approx(20.0)
    assert quiet_pause_s(10.0, 30.0) == 60.0
    assert quiet_pause_s(300.0, 30.0) == 300.0


@pytest.mark.usefixtures("loud")
def test_a_file_that_cannot_be_read_is_set_aside_after_some_tries_and_the_rest_goes_on(
    config: Config, full_drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = sorted(path.name for path in full_drop.iterdir())[1]
    opened = daemon.drop.files._open_no_link

    def broken(path: str, flags: int) -> int:
        if path.endswith(bad):
            raise OSError(errno.EIO, "Input/output error")
        return opened(path, flags)

    monkeypatch.setattr("daemon.drop.files._open_no_link", broken)
    assert run(config, until_idle=True) == 1
    files = {file["name"]: file for file in stored_files(config.store.path)}
    assert "tried 5 times:" in files[bad]["reason"]
    assert files.pop(bad)["state"] == "set_aside"
    assert {file["state"] for file in files.values()} == {"done"}
