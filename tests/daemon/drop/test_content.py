"""What was read is what the identity names: files whose size comes before their bytes."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.hearing.attempts import TRIES
from tests.daemon.bench import Bench, Found, bench_on, found_in
from tests.daemon.sea import Sea

_MINUTES = 3
Fill = Callable[[Path, bytes], Iterator[None]]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture(scope="module")
def whole(sea: Sea, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What one clean delivery of all sound in one file finds."""
    folder = tmp_path_factory.mktemp("clean")
    (folder / "drop").mkdir()
    _path(folder / "drop", sea).write_bytes(_data(sea))
    with bench_on(folder / "drop", folder / "store") as bench:
        bench.work()
        bench.pipeline.finish()
    return found_in(folder / "store")


def _path(drop: Path, sea: Sea) -> Path:
    return drop / next(sea.cut(_MINUTES))[0]


def _data(sea: Sea) -> bytes:
    return next(sea.cut(_MINUTES))[1]


def _put(path: Path, data: bytes, byte: int) -> None:
    with path.open("r+b") as file:
        file.seek(byte)
        file.write(data)


def _reserved(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, len(data))


def _blocks(data: bytes, size: int) -> list[int]:
    return list(range(0, len(data), size))


def _in_order(path: Path, data: bytes) -> Iterator[None]:
    _reserved(path, data)
    yield
    for byte in _blocks(data, 1_000_000):
        _put(path, data[byte : byte + 1_000_000], byte)
        yield


def _backwards(path: Path, data: bytes) -> Iterator[None]:
    _reserved(path, data)
    for byte in reversed(_blocks(data, 1_333_333)):
        _put(path, data[byte : byte + 1_333_333], byte)
        yield


def _middle_last(path: Path, data: bytes) -> Iterator[None]:
    first = len(data) // 2 // 4096 * 4096
    for size in (4096, 1 << 16):
        path.write_bytes(data[:first] + bytes(size) + data[first + size :])
        yield
    _put(path, data[first : first + (1 << 16)], first)
    yield


def _beginning_last(path: Path, data: bytes) -> Iterator[None]:
    for size in (len(data), 1 << 20, 5_000):
        path.write_bytes(bytes(size) + data[size:])
        yield
    _put(path, data[:5_000], 0)
    yield


def _end_last(path: Path, data: bytes) -> Iterator[None]:
    for left in (1_500_000, 40_000, 3_000, 40):
        path.write_bytes(data[:-left] + bytes(left))
        yield
    path.write_bytes(data)
    yield


def _size_first(path: Path, data: bytes) -> Iterator[None]:
    """A network mount shows each new size before its bytes, at any byte."""
    path.touch()
    for end in (17, 36, 5_000, 1_000_003, 2_345_678, len(data)):
        shown = path.stat().st_size
        os.truncate(path, end)
        yield
        _put(path, data[shown:end], shown)
        yield


_FILLS: list[Fill] = [
    _in_order,
    _backwards,
    _middle_last,
    _beginning_last,
    _end_last,
    _size_first,
]


@contextmanager
def _young(bench: Bench) -> Iterator[None]:
    """Let nothing settle for now."""
    bench.arrivals.settle_after(1e9)
    yield
    bench.arrivals.settle_after(0.0)


def _read_to_its_end(bench: Bench, path: Path, data: bytes) -> None:
    bench.work()
    bench.pipeline.finish()
    file = bench.ledger.files[path.name]
    assert (file.state, file.damaged_bytes, file.bytes_read) == ("done", 0, len(data))
    assert path.read_bytes() == data


@pytest.mark.parametrize("fill", _FILLS)
def test_zeros_of_a_young_file_are_waited_for(
    whole: Found, drop: Path, sea: Sea, store: Path, fill: Fill
) -> None:
    path, data = _path(drop, sea), _data(sea)
    with bench_on(drop, store) as bench:
        with _young(bench):
            for _ in fill(path, data):
                bench.work()
        _read_to_its_end(bench, path, data)
        assert bench.compared("changed") == 0
    assert found_in(store) == whole


@pytest.mark.parametrize("fill", _FILLS)
def test_what_settled_with_holes_and_is_filled_later_is_read_again(
    whole: Found, drop: Path, sea: Sea, store: Path, fill: Fill
) -> None:
    path, data = _path(drop, sea), _data(sea)
    with bench_on(drop, store) as bench:
        for _ in fill(path, data):
            bench.work()
        _read_to_its_end(bench, path, data)
    assert [score["begin"] for score in found_in(store)[0]] == [
        score["begin"] for score in whole[0]
    ]


def _other(data: bytes) -> bytes:
    """Return the same recording with other samples in the middle of it."""
    first, last = len(data) // 2, len(data) // 2 + 40
    return data[:first] + bytes(byte ^ 0x15 for byte in data[first:last]) + data[last:]


def test_a_file_that_holds_other_bytes_at_its_close_is_read_again(
    whole: Found, drop: Path, sea: Sea, store: Path
) -> None:
    path, data = _path(drop, sea), _data(sea)
    path.write_bytes(_other(data))
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    with bench_on(drop, store) as bench:
        with _young(bench):
            bench.work()
        _put(path, data, 0)
        os.utime(path, ns=times)
        _read_to_its_end(bench, path, data)
        assert bench.compared("changed") == 1
        assert bench.ledger.files[path.name].rereads == 0
    assert len(found_in(store)[0]) == len(whole[0])


def test_a_file_that_never_stays_as_it_was_read_is_set_aside(
    drop: Path, sea: Sea, store: Path
) -> None:
    path, data = _path(drop, sea), b"".join(sea.records[:60])
    with bench_on(drop, store) as bench:
        for k in range(TRIES + 1):
            path.write_bytes(data if k % 2 else _other(data))
            with _young(bench):
                bench.work()
            path.write_bytes(_other(data) if k % 2 else data)
            bench.work(1)  # its close
        bench.work()
        file = bench.ledger.files[path.name]
        assert file.state == "set_aside"
        assert file.reason == "it held other bytes at its end than were read, 6 times"


@pytest.mark.parametrize("how", ["in place", "by rename, with the same inode and times"])
def test_other_bytes_of_the_same_size_and_time_are_read(
    drop: Path, sea: Sea, store: Path, how: str
) -> None:
    path, data = _path(drop, sea), b"".join(sea.records[:60])
    path.write_bytes(_other(data))
    before = path.stat()
    with bench_on(drop, store) as bench:
        bench.work()
        old = bench.ledger.files[path.name].sha256
        _put(path, data, 0)
        if how != "in place":
            path.rename(drop / "away")
            (drop / "away").rename(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = path.stat()
        assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
        bench.work()
        assert bench.compared("replaced") == 1
        assert bench.ledger.files[path.name].sha256 not in ("", old)


def test_a_whole_copy_of_a_file_that_was_read_with_a_hole_is_no_duplicate(
    whole: Found, drop: Path, sea: Sea, store: Path
) -> None:
    path, data = _path(drop, sea), _data(sea)
    first = len(data) // 2
    path.write_bytes(data[:first] + bytes(100_000) + data[first + 100_000 :])
    with bench_on(drop, store) as bench:
        bench.work()
        (drop / "again").mkdir()
        (drop / "again" / path.name).write_bytes(data)
        bench.work()
        bench.pipeline.finish()
        assert bench.ledger.files[f"again/{path.name}"].state == "done"
    assert [s["begin"] for s in found_in(store)[0]] == [s["begin"] for s in whole[0]]


def test_a_recorder_that_begins_its_file_anew_is_read_whole(
    drop: Path, sea: Sea, store: Path, tmp_path: Path
) -> None:
    path, data = _path(drop, sea), _data(sea)
    old = b"".join(sea.records[-400:])
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / path.name).write_bytes(data)
    with bench_on(tmp_path / "clean", tmp_path / "clean-store") as bench:
        bench.work()
    with bench_on(drop, store) as bench:
        with _young(bench):
            path.write_bytes(old[: len(data) // 2])
            bench.work()
            for end in (len(data) * 3 // 4, len(data)):  # it was never seen to be shorter
                path.write_bytes(data[:end])
                bench.work()
        _read_to_its_end(bench, path, data)
        assert bench.compared("changed") == 1
    begins = {score["begin"] for score in found_in(store)[0]}
    assert {score["begin"] for score in found_in(tmp_path / "clean-store")[0]} <= begins


def test_silence_of_a_dead_channel_is_no_hole(drop: Path, sea: Sea, store: Path) -> None:
    path, records = _path(drop, sea), sea.records[:60]
    dead = [record[:36] + bytes(len(record) - 36) for record in records[20:40]]
    dying = records[20][:2_000] + bytes(len(records[20]) - 2_000)
    data = b"".join([*records[:20], dying, *dead[1:], *records[40:]])
    with bench_on(drop, store) as bench, _young(bench):
        path.write_bytes(data)
        bench.work()
        assert bench.ledger.files[path.name].bytes_read == len(data)


def test_a_growing_file_is_read_record_by_record_as_it_grows(
    drop: Path, sea: Sea, store: Path
) -> None:
    path, size = _path(drop, sea), 0
    with bench_on(drop, store) as bench, _young(bench):
        for count, record in enumerate(sea.records[:20], 1):
            size += len(record)
            with path.open("ab") as file:
                file.write(record)
            bench.work()
            assert bench.ledger.files[path.name].records == count


@pytest.mark.skipif(shutil.which("rsync") is None, reason="no rsync here")
def test_rsync_in_place_over_a_file_that_was_read(
    drop: Path, sea: Sea, store: Path, tmp_path: Path
) -> None:
    path, data = _path(drop, sea), b"".join(sea.records[:60])
    with bench_on(drop, store) as bench:
        path.write_bytes(_other(data))
        bench.work()
        (tmp_path / path.name).write_bytes(data)
        command = ["rsync", "-a", "--inplace", "--no-whole-file", "--ignore-times"]
        subprocess.run([*command, str(tmp_path / path.name), f"{drop}/"], check=True)
        _read_to_its_end(bench, path, data)
        assert bench.compared("replaced") == 1
