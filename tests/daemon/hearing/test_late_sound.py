"""Whatever order sound comes in, and whatever happens meanwhile: no window is left unscored."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from acoio.errors import NotReadyError
from daemon.drop.files import Drop
from daemon.progress import FileProgress
from tests.daemon.bench import Found, bench_on, found_in
from tests.daemon.sea import Sea


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.mark.parametrize("seconds", [20, 40, 70])
def test_a_file_that_comes_late_while_the_next_one_grows(
    unbroken: Found, drop: Path, sea: Sea, store: Path, seconds: int
) -> None:
    files = list(sea.cut())
    begun = round(len(files[2][1]) * seconds / 120)
    with bench_on(drop, store) as bench:
        bench.arrivals._settle_s = 0.0
        for name, data in (files[0], (files[2][0], files[2][1][:begun]), files[1]):
            (drop / name).write_bytes(data)
            bench.work()
        for name, data in files[2:]:
            (drop / name).write_bytes(data)
            bench.work()
        bench.pipeline.finish()
    assert found_in(store)[0] == unbroken[0]


def test_a_file_that_comes_late_before_a_short_one(
    unbroken: Found, drop: Path, sea: Sea, store: Path
) -> None:
    """What a gap left out reaches beyond the end of the file after it."""
    files = list(sea.cut(1))
    late = 3
    with bench_on(drop, store) as bench:
        for name, data in files[:late] + files[late + 1 :]:
            (drop / name).write_bytes(data)
        bench.work()
        (drop / files[late][0]).write_bytes(files[late][1])
        bench.work()
        bench.pipeline.finish()
    assert found_in(store)[0] == unbroken[0]


def test_without_the_sound_before_it_nothing_is_heard(
    unbroken: Found,
    full_drop: Path,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A drop that does not answer, or a stop, while a new ear recalls what came before."""
    first = min(path.name for path in full_drop.iterdir())
    with bench_on(full_drop, store) as bench:
        while bench.ledger.files.get(first, None) is None or (
            bench.ledger.files[first].state != "done"
        ):
            bench.work(1)
    bytes_of = Drop.bytes_of

    def silent(drop: Drop, name: str) -> Any:
        if name == first:
            raise NotReadyError("drop: reading: no answer for 30 s")
        return bytes_of(drop, name)

    monkeypatch.setattr(Drop, "bytes_of", silent)
    with bench_on(full_drop, store) as bench, pytest.raises(NotReadyError):
        bench.work()
    monkeypatch.setattr(Drop, "bytes_of", bytes_of)
    with bench_on(full_drop, store) as bench:
        bench.work()
        bench.pipeline.finish()
    assert found_in(store) == unbroken


def _renamed(path: Path, folder: Path) -> None:
    path.rename(folder / path.name)


def _copied(path: Path, folder: Path) -> None:
    (folder / path.name).write_bytes(path.read_bytes())
    path.unlink()


@pytest.mark.parametrize("sort", [_renamed, _copied])
def test_done_files_may_be_sorted_into_folders(
    unbroken: Found, drop: Path, sea: Sea, store: Path, sort: Callable[[Path, Path], None]
) -> None:
    files = list(sea.cut())
    for name, data in files[:2]:
        (drop / name).write_bytes(data)
    with bench_on(drop, store) as bench:
        bench.work()
    (drop / "2024").mkdir()
    for name, _ in files[:2]:
        sort(drop / name, drop / "2024")
    with bench_on(drop, store) as bench:
        bench.work()
    for name, data in files[2:]:
        (drop / name).write_bytes(data)
    with bench_on(drop, store) as bench:
        bench.work()
        bench.pipeline.finish()
    assert found_in(store) == unbroken


def test_a_file_read_whole_that_went_and_came_back_is_still_what_came_before(
    unbroken: Found, drop: Path, sea: Sea, store: Path, tmp_path: Path
) -> None:
    files = list(sea.cut())
    for name, data in files[:2]:
        (drop / name).write_bytes(data)
    second = drop / files[1][0]
    with bench_on(drop, store) as bench:
        while _bytes_read(bench.ledger.files, second.name) != second.stat().st_size:
            bench.work(1)
        second.rename(tmp_path / "away")
        bench.work()
        assert bench.ledger.files[second.name].state == "vanished"
    (tmp_path / "away").rename(second)
    for name, data in files[2:]:
        (drop / name).write_bytes(data)
    with bench_on(drop, store) as bench:
        bench.work()
        bench.pipeline.finish()
    assert found_in(store)[0] == unbroken[0]


def _bytes_read(files: Mapping[str, FileProgress], name: str) -> int:
    return files[name].bytes_read if name in files else 0


def test_the_right_file_after_a_bad_transfer_is_heard_from_its_beginning(
    unbroken: Found, drop: Path, sea: Sea, store: Path
) -> None:
    files = list(sea.cut())
    (drop / files[0][0]).write_bytes(files[0][1])
    (drop / files[1][0]).write_bytes(b"".join(sea.records[5:120]))
    with bench_on(drop, store) as bench:
        bench.arrivals._settle_s = 1e9
        bench.work()
        bench.arrivals._settle_s = 0.0
        (drop / "right").write_bytes(files[1][1])
        (drop / "right").replace(drop / files[1][0])
        for name, data in files[2:]:
            (drop / name).write_bytes(data)
        bench.work()
        bench.pipeline.finish()
        gaps = [message.text for message in bench.sent if message.type == "kilokai.v1.gap"]
    assert [score["begin"] for score in found_in(store)[0]] == [
        score["begin"] for score in unbroken[0]
    ]
    assert not [text for text in gaps if '"seconds":-' in text]


def test_starts_that_end_in_order_are_not_held_against_a_file(
    full_drop: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bytes_of = Drop.bytes_of

    def hangs(drop: Drop, name: str) -> Any:
        raise NotReadyError("drop: reading: no answer for 30 s")

    monkeypatch.setattr(Drop, "bytes_of", hangs)
    for _ in range(7):
        with bench_on(full_drop, store) as bench, pytest.raises(NotReadyError):
            bench.work()
    monkeypatch.setattr(Drop, "bytes_of", bytes_of)
    with bench_on(full_drop, store) as bench:
        bench.work()
        assert {file.state for file in bench.ledger.files.values()} == {"done"}
