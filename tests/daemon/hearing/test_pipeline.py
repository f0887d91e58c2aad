"""The promises of the spine, without processes: whatever breaks, the same scores and events."""

from pathlib import Path
from typing import Any

import pytest

from acoio.errors import NotReadyError
from acoio.header import BYTES_PER_BIT, HEADER_BYTES
from daemon.bus.wire import model_draft
from daemon.config import Config
from daemon.ledger.ledger import Ledger
from daemon.ledger.stored import stored_events, stored_files, stored_scores
from daemon.progress import Step
from daemon.service.run import run
from tests.daemon.bench import bench_on, found_in
from tests.daemon.conftest import config_of
from tests.daemon.sea import Sea, noise, records_of, with_bits

pytestmark = pytest.mark.usefixtures("loud")


def _numbers(ledger: Ledger) -> list[int]:
    return [message.sequence for message in ledger.messages(0, 10_000)]


def test_a_restart_after_every_step_changes_nothing(
    unbroken: object, full_drop: Path, tmp_path: Path
) -> None:
    left, sent = 0, []
    while not left:
        with bench_on(full_drop, tmp_path / "store") as bench:
            left = bench.work(1)
            if left:
                bench.pipeline.finish()
            numbers = _numbers(bench.ledger)
            sent += bench.sent
    assert found_in(tmp_path / "store") == unbroken
    assert numbers == [message.sequence for message in sent] == list(range(1, len(numbers) + 1))


def test_a_file_that_grows_record_by_record_gives_the_same(
    unbroken: object, drop: Path, sea: Sea, tmp_path: Path
) -> None:
    with bench_on(drop, tmp_path / "store") as bench:
        for name, data in sea.cut():
            for end in [*range(0, len(data), len(data) // 7), len(data)]:
                (drop / name).write_bytes(data[:end])  # it ends within a record nearly always
                bench.arrivals._settle_s = 1e9
                bench.work()
        bench.arrivals._settle_s = 0.0
        bench.work()
        bench.pipeline.finish()
    assert found_in(tmp_path / "store") == unbroken
    assert {file["damaged_bytes"] for file in stored_files(tmp_path / "store")} == {0}


def test_a_damaged_file_that_grows_costs_no_more_than_a_whole_one(
    drop: Path, sea: Sea, tmp_path: Path
) -> None:
    """A width that lies is known by where the next header is; until that shows, it waits."""
    (name, data), *_ = sea.cut()
    records = list(records_of(data))
    bits = records[400][HEADER_BYTES - 1]
    records[400] = with_bits(records[400], bits - 4)
    damaged, at = b"".join(records), sum(map(len, records[:400]))
    grown, whole = tmp_path / "grown", tmp_path / "whole"
    with bench_on(drop, grown) as bench:
        bench.arrivals._settle_s = 1e9
        short = HEADER_BYTES + BYTES_PER_BIT * (bits - 4)
        for end in (at, at + short + 100, at + len(records[400]) + 5, len(damaged)):
            (drop / name).write_bytes(damaged[:end])
            bench.work()
        bench.arrivals._settle_s = 0.0
        bench.work()
    with bench_on(drop, whole) as bench:
        bench.work()
    assert found_in(grown) == found_in(whole)
    (seen,), (wanted,) = stored_files(grown), stored_files(whole)
    assert seen["records"] == wanted["records"] == len(records) - 1
    assert seen["damaged_bytes"] == wanted["damaged_bytes"] == len(records[400])


def test_files_may_come_in_any_cut(unbroken: Any, drop: Path, sea: Sea, tmp_path: Path) -> None:
    for name, data in sea.cut(3):
        (drop / name).write_bytes(data)
    with bench_on(drop, tmp_path / "store") as bench:
        bench.work()
        bench.pipeline.finish()
    scores, events = found_in(tmp_path / "store")
    places = ("file", "sample")
    assert scores == unbroken[0]
    assert [{k: v for k, v in event.items() if k not in places} for event in events] == [
        {k: v for k, v in event.items() if k not in places} for event in unbroken[1]
    ]


@pytest.mark.parametrize("order", [(0, 1, 3, 2), (3, 0, 1, 2), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_files_that_come_out_of_order_leave_nothing_unscored(
    unbroken: Any, drop: Path, sea: Sea, tmp_path: Path, order: tuple[int, ...]
) -> None:
    files = list(sea.cut())
    with bench_on(drop, tmp_path / "store") as bench:
        for k in order:
            (drop / files[k][0]).write_bytes(files[k][1])
            bench.work()
        assert {file.state for file in bench.ledger.files.values()} == {"done"}
        bench.pipeline.finish()
    scores, _ = found_in(tmp_path / "store")
    assert scores == unbroken[0]


def test_a_missing_file_is_a_gap_that_is_told(drop: Path, sea: Sea, tmp_path: Path) -> None:
    files = list(sea.cut())
    for k in (0, 2):
        (drop / files[k][0]).write_bytes(files[k][1])
    with bench_on(drop, tmp_path / "store") as bench:
        bench.work()
        types = [message.type for message in bench.sent]
        assert types.count("kilokai.v1.gap") == 1
        assert bench.metrics.registry.get_sample_value("kilokai_gap_seconds_total") == (
            pytest.approx(120, abs=1)
        )


def test_a_full_disk_keeps_nothing_and_costs_nothing(
    unbroken: object, full_drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, full = Ledger.commit, [True, False, True, True, False]

    def failing(self: Ledger, step: Step, model: str) -> None:
        if full and full.pop(0):
            raise NotReadyError("ledger: database or disk is full")
        commit(self, step, model)

    monkeypatch.setattr(Ledger, "commit", failing)
    with bench_on(full_drop, tmp_path / "store") as bench:
        for _ in range(4):
            try:
                bench.work()
            except NotReadyError:
                continue
        bench.pipeline.finish()
    assert found_in(tmp_path / "store") == unbroken


def test_another_model_closes_what_the_one_before_left_open(
    full_drop: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    with bench_on(full_drop, store) as bench:
        while not bench.ledger.open_events():
            assert not bench.work(1)
        draft = model_draft(
            "2024-03-01T00:00:00.000000Z", model="b", threshold=1, previous="a", by="promote"
        )
        bench.keeper.announce(draft, model="b")
        assert (bench.ledger.open_events(), bench.ledger.lane("live").tracker) == ([], {})
        types = [message.type.rpartition(".")[2] for message in bench.sent[-2:]]
        assert types == ["event", "model"]


def test_what_was_not_known_to_be_sent_is_sent_again(full_drop: Path, tmp_path: Path) -> None:
    with bench_on(full_drop, tmp_path / "store") as bench:
        while bench.ledger.published == bench.ledger.sequence:
            assert not bench.work(1)
        known = bench.ledger.published
        newest = bench.ledger.sequence
    with bench_on(full_drop, tmp_path / "store") as bench:
        bench.keeper.publish_again()
        assert [message.sequence for message in bench.sent] == list(range(known + 1, newest + 1))


def _spoil(drop: Path, sea: Sea) -> dict[str, str]:
    """Put files into the drop that have something wrong; return the reason of each."""
    files = list(sea.cut())
    first, second = files[0], files[1]
    records = sea.records[: len(sea.records) // 4]
    lying = [*records[:20], with_bits(records[20], 0), *records[21:40], with_bits(records[40], 77)]
    (drop / first[0]).write_bytes(b"".join([*lying, *records[41:]]))
    (drop / second[0]).write_bytes(second[1][:-700])
    (drop / "2024-03-01--05.30.HYD24BBpk").touch()
    (drop / "2024-03-01--05.35.HYD24BBpk").write_bytes(noise(50_000))
    (drop / "tape-7.HYD24BBpk").write_bytes(second[1])
    (drop / "2024-03-01--05.40.HYD96BBpk").write_bytes(second[1])
    (drop / "2024-03-01--05.45.HYD24BBpk").symlink_to(drop / second[0])
    (drop / "readme.txt").write_text("no sound")
    (drop / ".2024-03-01--05.50.HYD24BBpk.Xy3").write_bytes(second[1])
    return {
        "2024-03-01--05.30.HYD24BBpk": "empty file",
        "2024-03-01--05.35.HYD24BBpk": "no record header",
        "tape-7.HYD24BBpk": "file name: found 'tape-7",
        "2024-03-01--05.40.HYD96BBpk": "rate: found 96000",
        "2024-03-01--05.45.HYD24BBpk": "no regular file",
    }


def test_bad_files_are_set_aside_with_their_reason_and_the_rest_goes_on(
    drop: Path, sea: Sea, tmp_path: Path, config: Config
) -> None:
    wanted = _spoil(drop, sea)
    before = {path.name: path.read_bytes() for path in drop.iterdir()}
    assert run(config, until_idle=True) == 1
    assert {path.name: path.read_bytes() for path in drop.iterdir()} == before
    files = {file["name"]: file for file in stored_files(config.store.path)}
    aside = {name: file for name, file in files.items() if file["state"] == "set_aside"}
    assert aside.keys() == wanted.keys()
    assert all(reason in aside[name]["reason"] for name, reason in wanted.items())
    lying, short = (files[name] for name, _ in list(sea.cut())[:2])
    assert (lying["state"], short["state"]) == ("done", "done")
    assert "sample size: found 0 bits" in lying["reason"]
    assert lying["records"] == len(sea.records) // 4 - 2
    assert "short last record: found" in short["reason"]
    assert short["tail_bytes"] > 0
    assert len(stored_scores(config.store.path)) > 100


def test_a_second_run_finds_nothing_to_do(full_drop: Path, tmp_path: Path) -> None:
    config = config_of(full_drop, tmp_path / "store")
    assert run(config, until_idle=True) == 0
    before = found_in(config.store.path)
    assert run(config, until_idle=True) == 0
    assert found_in(config.store.path) == before


def test_an_event_open_at_the_end_of_a_run_goes_on_in_the_next(
    unbroken: Any, drop: Path, sea: Sea, tmp_path: Path
) -> None:
    config = config_of(drop, tmp_path / "store")
    for name, data in sea.cut():
        (drop / name).write_bytes(data)
        assert run(config, until_idle=True) == 0
        assert all(event["status"] == "closed" for event in stored_events(config.store.path))
    scores, events = found_in(config.store.path)
    assert scores == unbroken[0]
    assert events == unbroken[1]


def test_no_drop_ends_a_run_until_idle_as_failed(tmp_path: Path) -> None:
    assert run(config_of(tmp_path / "none", tmp_path / "store"), until_idle=True) == 1
