"""What is written where a person said: whole or not at all, and never in place of a device."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from acoio.errors import NotReadyError, SetupError
from acoio.output import is_taken, output, write_output

_DEVICES = {"null": (1, 3), "full": (1, 7)}
_root = pytest.mark.skipif(os.geteuid() != 0, reason="devices and other users' files want root")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _kept(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _device(path: Path) -> Path:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(*_DEVICES[path.name]))
    return path


def test_a_new_file_is_there_whole_with_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_output(tmp_path / "a", b"whole")
    finally:
        os.umask(before)
    assert ((tmp_path / "a").read_bytes(), _mode(tmp_path / "a")) == (b"whole", 0o640)
    assert _kept(tmp_path) == {"a"}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o444])
def test_a_file_that_is_replaced_hands_on_its_mode(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").write_bytes(b"former")
    (tmp_path / "a").chmod(mode)
    write_output(tmp_path / "a", b"new")
    assert ((tmp_path / "a").read_bytes(), _mode(tmp_path / "a")) == (b"new", mode)


@_root
def test_a_file_that_root_replaces_stays_its_owners(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"former")
    os.chown(tmp_path / "a", 1234, 4321)
    write_output(tmp_path / "a", b"new")
    found = (tmp_path / "a").stat()
    assert (found.st_uid, found.st_gid) == (1234, 4321)


def test_what_fails_half_way_leaves_the_former_file_and_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"former")
    with pytest.raises(KeyError), output(tmp_path / "a") as file:
        file.write(b"half")
        raise KeyError
    with pytest.raises(KeyError), output(tmp_path / "b"):
        raise KeyError
    assert _kept(tmp_path) == {"a"}
    assert (tmp_path / "a").read_bytes() == b"former"


def test_a_disk_that_fills_leaves_the_former_file_and_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"former")
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from acoio.output import write_output\n"
        "write_output(sys.argv[1], bytes(100_000))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a"], capture_output=True, check=False, timeout=60
    )
    assert b"NotReadyError" in ended.stderr
    assert b"File too large" in ended.stderr
    assert (_kept(tmp_path), (tmp_path / "a").read_bytes()) == ({"a"}, b"former")


@pytest.mark.parametrize("place", ["kept", "other/kept"])
def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path, place: str) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / place).write_bytes(b"former")
    (tmp_path / "second").symlink_to(place)
    (tmp_path / "link").symlink_to(tmp_path / "second")
    write_output(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert (tmp_path / place).read_bytes() == b"new"


def test_a_link_that_leads_nowhere_yet_gets_its_file_and_a_ring_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("later")
    write_output(tmp_path / "link", b"new")
    assert (tmp_path / "later").read_bytes() == b"new"
    (tmp_path / "ring").symlink_to("ring")
    with pytest.raises(NotReadyError, match="ring: Too many levels of symbolic links"):
        write_output(tmp_path / "ring", b"new")


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with ThreadPoolExecutor() as pool:
            read = pool.submit((tmp_path / "pipe").read_bytes)
            write_output(tmp_path / name, b"through" * 20_000, overwrite=False)
            assert read.result(60) == b"through" * 20_000
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)
    assert _kept(tmp_path) == {"pipe", "link"}


@_root
def test_a_device_is_written_through_and_stays_one(tmp_path: Path) -> None:
    device, full = _device(tmp_path / "null"), _device(tmp_path / "full")
    (tmp_path / "link").symlink_to("null")
    for path in (device, tmp_path / "link"):
        assert not is_taken(path)
        write_output(path, b"gone", overwrite=False)
    with pytest.raises(NotReadyError, match="full: No space left on device"):
        write_output(full, b"none")
    assert all(stat.S_ISCHR(path.lstat().st_mode) for path in (device, full))
    assert _kept(tmp_path) == {"null", "full", "link"}


def test_an_open_file_goes_on_where_it_is(tmp_path: Path) -> None:
    with (tmp_path / "log").open("ab") as log:
        log.write(b"former ")
        log.flush()
        (tmp_path / "link").symlink_to(f"/dev/fd/{log.fileno()}")
        write_output(f"/proc/self/fd/{log.fileno()}", b"one ", overwrite=False)
        write_output(tmp_path / "link", b"two", overwrite=False)
    assert (tmp_path / "log").read_bytes() == b"former one two"


@pytest.mark.parametrize("name", ["file", "link"])
def test_nothing_is_replaced_unasked(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"former")
    (tmp_path / "link").symlink_to("file")
    assert is_taken(tmp_path / name)
    with pytest.raises(SetupError, match="file: found a file there, wanted none"):
        write_output(tmp_path / name, b"new", overwrite=False)
    with (
        pytest.raises(SetupError, match="found a file there"),
        output(tmp_path / "free", overwrite=False),
    ):
        (tmp_path / "free").write_bytes(b"came meanwhile")
    assert (tmp_path / "file").read_bytes() == b"former"
    assert (tmp_path / "free").read_bytes() == b"came meanwhile"
    assert _kept(tmp_path) == {"file", "link", "free"}


@pytest.mark.parametrize("target", ["file", "nowhere"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_private_follows_no_link(tmp_path: Path, target: str, overwrite: bool) -> None:
    (tmp_path / "file").write_bytes(b"former")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(SetupError, match="link: found a link, wanted a name that is free"):
        write_output(tmp_path / "link", b"secret", overwrite=overwrite, private=True)
    assert _kept(tmp_path) == {"file", "link"}
    assert (tmp_path / "file").read_bytes() == b"former"
    (tmp_path / "file").chmod(0o644)
    write_output(tmp_path / "file", b"secret", private=True)
    assert _mode(tmp_path / "file") == 0o600


@_root
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_another_users_link_where_anybody_may_write_is_not_followed(
    tmp_path: Path, kind: str
) -> None:
    place, own = tmp_path / "public", tmp_path / "own"
    place.mkdir()
    place.chmod(0o1777)
    if kind == "link":
        (place / kind).symlink_to(own)
    else:
        os.mkfifo(place / kind)
    os.lchown(place / kind, 1234, 1234)
    with pytest.raises(SetupError, match=f"found a {kind} of user 1234 in a folder that anybody"):
        write_output(place / kind, b"new")
    assert not own.exists()
    os.lchown(place / kind, 0, 0)
    if kind == "link":
        write_output(place / kind, b"new")
        assert own.read_bytes() == b"new"


def test_what_cannot_hold_a_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="found a folder, wanted a file"):
        write_output(tmp_path, b"x")
    with pytest.raises(NotReadyError, match="none/a: No such file or directory"):
        write_output(tmp_path / "none" / "a", b"x")
    (tmp_path / "file").touch()
    with pytest.raises(NotReadyError, match="file/a: Not a directory"):
        write_output(tmp_path / "file" / "a", b"x")
    with pytest.raises(NotReadyError, match="File name too long"):
        write_output(tmp_path / ("n" * 256), b"x")
    write_output(tmp_path / ("n" * 255), b"x")
