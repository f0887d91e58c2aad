import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from acoio.errors import NotReadyError
from daemon.drop.listing import glance, scan


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
    assert found.keys() == {"2018/10/a", "link", "loop", r"\xff\xfe"}
    assert (found["2018/10/a"].size, found["2018/10/a"].regular) == (5, True)
    assert not found["link"].regular


def test_a_drop_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        scan(tmp_path / "none")


def test_a_glance_shows_only_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    file, link = glance(tmp_path, ["a", "none", "link"])
    assert (file.name, file.size, file.regular) == ("a", 5, True)
    assert not link.regular
    assert file == next(seen for seen in scan(tmp_path) if seen.name == "a") or file.age_s > 0


def test_a_time_or_an_inode_of_any_size_fits_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()
    true = os.lstat(tmp_path / "a")
    odd = {name: getattr(true, name) for name in ("st_mode", "st_size", "st_mtime", "st_ctime")}
    late_ns = 10_413_792_000 * 10**9  # the year 2300
    odd |= {"st_ino": (1 << 64) - 5, "st_mtime_ns": late_ns, "st_ctime_ns": late_ns}
    monkeypatch.setattr("daemon.drop.listing.os.lstat", lambda _: SimpleNamespace(**odd))
    (seen,) = glance(tmp_path, ["a"])
    assert seen.inode == -5
    assert -(1 << 63) <= seen.mtime_ns < 1 << 63


@contextmanager
def _nested(folder: Path, depth: int) -> Iterator[None]:
    """Make folders within folders, and be rid of them."""
    former = Path.cwd()
    os.chdir(folder)
    for _ in range(depth):
        Path("d").mkdir()
        os.chdir("d")
    try:
        yield
    finally:
        for _ in range(depth):
            os.chdir("..")
            Path("d").rmdir()
        os.chdir(former)


@pytest.mark.parametrize("depth", [1100, 2500])
def test_folders_may_nest_deeper_than_calls_may_and_than_a_path_may(
    tmp_path: Path, depth: int
) -> None:
    (tmp_path / "a").touch()
    with _nested(tmp_path, depth):
        seen, *others = scan(tmp_path)
        assert seen.name == "a"
        assert [other.closed for other in others] in ([], ["File name too long"])


@contextmanager
def _failing(folder: Path, code: int) -> Iterator[None]:
    listed = os.scandir

    def scandir(path: Path) -> object:
        if Path(path) == folder:
            raise OSError(code, os.strerror(code), str(path))
        return listed(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("daemon.drop.listing.os.scandir", scandir)
        yield


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOENT, errno.ENOTDIR])
def test_a_folder_that_is_closed_or_gone_leaves_the_rest(tmp_path: Path, code: int) -> None:
    (tmp_path / "2018").mkdir()
    (tmp_path / "a").touch()
    with _failing(tmp_path / "2018", code):
        found = {seen.name: seen.closed for seen in scan(tmp_path)}
    assert found == {"a": ""} | ({"2018/": "Permission denied"} if code == errno.EACCES else {})


@pytest.mark.parametrize("name", ["lost+found", ".snapshots", "2018/.cache"])
def test_what_holds_no_recordings_may_be_closed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    with _failing(tmp_path / name, errno.EACCES):
        assert not list(scan(tmp_path))


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EMFILE])
def test_a_folder_that_fails_fails_the_listing_or_its_files_would_pass_for_vanished(
    tmp_path: Path, code: int
) -> None:
    (tmp_path / "2018").mkdir()
    with _failing(tmp_path / "2018", code), pytest.raises(NotReadyError, match="2018"):
        scan(tmp_path)
