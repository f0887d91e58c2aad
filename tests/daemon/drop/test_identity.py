"""Files by their bytes: however a file comes again, its sound is scored once."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from acoio.reader import Fetch
from daemon.drop.files import Drop
from daemon.drop.listing import scan
from daemon.hearing.attempts import TRIES
from daemon.progress import FileProgress
from tests.daemon.bench import Found, bench_on, found_in
from tests.daemon.sea import Sea


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def _states(files: Mapping[str, FileProgress]) -> dict[str, str]:
    return {name: file.state for name, file in files.items()}


def test_a_file_that_is_delivered_again_is_not_read_again(
    unbroken: Found, full_drop: Path, store: Path
) -> None:
    with bench_on(full_drop, store) as bench:
        bench.work()
        records = bench.records_read()
        for path in list(full_drop.iterdir()):
            again = full_drop / ".again"
            again.write_bytes(path.read_bytes())
            again.rename(path)
        bench.work()
        bench.pipeline.finish()
        assert bench.records_read() == records
        assert bench.compared("same") == len(list(full_drop.iterdir()))
    assert found_in(store) == unbroken


@pytest.mark.parametrize("how", ["copy", "hard link", "growing copy"])
def test_the_same_bytes_under_another_name_are_a_duplicate(
    unbroken: Found, full_drop: Path, store: Path, how: str
) -> None:
    first = min(full_drop.iterdir())
    other = full_drop / "copies" / first.name
    other.parent.mkdir()
    with bench_on(full_drop, store) as bench:
        bench.work()
        if how == "hard link":
            other.hardlink_to(first)
        elif how == "copy":
            other.write_bytes(first.read_bytes())
        else:
            bench.arrivals._settle_s = 1e9
            for end in (5_000, 400_000, first.stat().st_size):
                other.write_bytes(first.read_bytes()[:end])
                bench.work()
            bench.arrivals._settle_s = 0.0
        bench.work()
        bench.pipeline.finish()
        twin = bench.ledger.files[f"copies/{first.name}"]
        assert (twin.state, twin.reason) == ("duplicate", f"the same bytes as {first.name}")
        assert twin.records == 0
    assert found_in(store) == unbroken


def test_a_copy_that_is_longer_is_read_for_what_the_first_one_lacks(
    unbroken: Found, drop: Path, sea: Sea, store: Path
) -> None:
    (name, data), *rest = sea.cut()
    (drop / name).write_bytes(data[: len(data) // 2])
    with bench_on(drop, store) as bench:
        bench.work()
        (drop / "again").mkdir()
        (drop / "again" / name).write_bytes(data)
        for later, sound in rest:
            (drop / later).write_bytes(sound)
        bench.work()
        bench.pipeline.finish()
        states = _states(bench.ledger.files)
        assert states.pop(name) == "duplicate"
        assert set(states.values()) == {"done"}
    assert found_in(store)[0] == unbroken[0]


def test_a_file_that_was_cut_off_and_is_delivered_whole_is_read_to_its_end(
    unbroken: Found, drop: Path, sea: Sea, store: Path
) -> None:
    files = list(sea.cut())
    for name, data in files:
        (drop / name).write_bytes(data[: len(data) // 3] if name == files[1][0] else data)
    with bench_on(drop, store) as bench:
        bench.work()
        (drop / "whole").write_bytes(files[1][1])
        (drop / "whole").rename(drop / files[1][0])
        bench.work()
        bench.pipeline.finish()
    assert found_in(store)[0] == unbroken[0]


def test_another_recording_under_a_known_name_is_read_from_its_beginning(
    full_drop: Path, sea: Sea, store: Path
) -> None:
    names = sorted(path.name for path in full_drop.iterdir())
    with bench_on(full_drop, store) as bench:
        bench.work()
        before = bench.ledger.files[names[0]]
        (full_drop / "other").write_bytes(b"".join(sea.records[5:300]))
        (full_drop / "other").rename(full_drop / names[0])
        bench.work()
        after = bench.ledger.files[names[0]]
        assert (after.state, after.records) == ("done", 295)
        assert after.sha256 != before.sha256
        assert bench.compared("replaced") == 1


def test_a_file_that_loses_its_end_keeps_what_was_read_of_it(
    unbroken: Found, full_drop: Path, store: Path
) -> None:
    first, second, *_ = sorted(full_drop.iterdir())
    with bench_on(full_drop, store) as bench:
        bench.work(2)  # in the middle of the first
        os.truncate(first, first.stat().st_size // 8)
        bench.work()
        os.truncate(second, 10_000)
        bench.work()
        bench.pipeline.finish()
        files = bench.ledger.files
        assert set(_states(files).values()) == {"done"}
        assert "cut short: found" in files[first.name].reason
        assert bench.compared("cut") == 2
    scores = found_in(store)[0]
    assert all(score in unbroken[0] for score in scores)
    assert scores[-1] == unbroken[0][-1]


def test_a_file_that_is_written_anew_with_the_same_bytes_is_the_same_however_it_looks_meanwhile(
    unbroken: Found, full_drop: Path, store: Path
) -> None:
    first = min(full_drop.iterdir())
    data = first.read_bytes()
    with bench_on(full_drop, store) as bench:
        bench.work()
        records = bench.ledger.files[first.name].records
        for end in (0, 1_000, len(data) // 2, len(data)):
            first.write_bytes(data[:end])
            bench.work()
        bench.pipeline.finish()
        assert bench.ledger.files[first.name].records == records
        assert bench.ledger.files[first.name].state == "done"
        assert bench.compared("replaced") == 0
    assert found_in(store) == unbroken


def test_a_file_that_changes_while_it_is_compared_is_compared_again(
    full_drop: Path, store: Path
) -> None:
    first = min(full_drop.iterdir())
    with bench_on(full_drop, store) as bench:
        bench.work()
        first.touch()
        plan = bench.arrivals.look(scan(full_drop), bench.ledger.files, 0.0)
        (task,) = plan.tasks
        first.touch()
        before = bench.ledger.files[first.name]
        bench.pipeline.do(task, plan.order)
        assert bench.ledger.files[first.name] == before
        bench.work()
        assert (bench.compared("same"), bench.compared("replaced")) == (1, 0)


def test_a_file_that_vanishes_half_read_goes_on_when_it_comes_back(
    unbroken: Found, full_drop: Path, tmp_path: Path, store: Path
) -> None:
    first = min(full_drop.iterdir())
    with bench_on(full_drop, store) as bench:
        bench.work(2)
        first.rename(tmp_path / "away")
        rest = [path.rename(tmp_path / path.name) for path in sorted(full_drop.iterdir())]
        bench.work()
        assert bench.ledger.files[first.name].state == "vanished"
        (tmp_path / "away").rename(first)
        for path in rest:
            path.rename(full_drop / path.name)
        bench.work()
        bench.pipeline.finish()
    assert found_in(store) == unbroken


def test_a_good_file_is_not_blamed_for_deaths_that_others_caused(
    full_drop: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = sorted(path.name for path in full_drop.iterdir())[1]
    bytes_of, deaths = Drop.bytes_of, []

    class Killed(BaseException):
        pass

    def deadly(drop: Drop, name: str) -> Fetch:
        if name == poison:
            deaths.append(name)
            raise Killed
        return bytes_of(drop, name)

    monkeypatch.setattr(Drop, "bytes_of", deadly)
    for _ in range(TRIES):
        with pytest.raises(Killed), bench_on(full_drop, store) as bench:
            bench.work()
    with bench_on(full_drop, store) as bench:
        monkeypatch.setattr(Drop, "bytes_of", bytes_of)
        bench.work()
        states = _states(bench.ledger.files)
        assert set(states.values()) == {"done"}
    assert len(deaths) == TRIES


def test_a_copy_of_a_file_with_a_cut_end_is_a_duplicate(drop: Path, sea: Sea, store: Path) -> None:
    name, data = next(sea.cut())
    (drop / name).write_bytes(data[:-700])
    with bench_on(drop, store) as bench:
        bench.work()
        (drop / "copy").mkdir()
        (drop / "copy" / name).write_bytes(data[:-700])
        sent = len(bench.sent)
        bench.work()
        assert bench.ledger.files[f"copy/{name}"].state == "duplicate"
        assert len(bench.sent) == sent


def test_a_file_renamed_before_it_was_closed_is_read_under_its_new_name(
    drop: Path, sea: Sea, store: Path
) -> None:
    name, data = next(sea.cut())
    (drop / name).write_bytes(data)
    (drop / "sorted").mkdir()
    with bench_on(drop, store) as bench:
        bench.arrivals._settle_s = 1e9
        bench.work()
        (drop / name).rename(drop / "sorted" / name)
        bench.arrivals._settle_s = 0.0
        bench.work()
        states = _states(bench.ledger.files)
        assert states == {name: "vanished", f"sorted/{name}": "done"}
