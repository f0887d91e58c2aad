"""Evidence is made of every event, once, whatever fails on the way; events go before it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter, namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from daemon.evidence.chore import EvidenceChore
from daemon.evidence.rows import EvidenceRows
from daemon.evidence.work import Job, Work
from daemon.evidence.worker import HALVES, Place, results
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.ledger.stored import reading, stored_events
from daemon.metrics import Metrics
from daemon.options import Evidence
from tests.daemon.conftest import sets_of, until
from tests.daemon.scrapes import value_of
from tests.daemon.sea import Sea

_ROOM: Any = namedtuple("_ROOM", "total used free")


class _Here(Work):
    """Does the jobs at once and in this process."""

    def __init__(self, store: Path, drop: Path) -> None:
        super().__init__({})
        self._here = Place(store, drop, "aco", 24_000.0, 5.0)
        self._done: list[dict[str, Any]] | None = None
        self.asked: list[Job] = []

    @property
    def busy(self) -> bool:
        return self._done is not None

    def start(self, jobs: Sequence[Job], now_s: float) -> None:
        self.asked += jobs
        self._done = list(self.outcomes([dict(job) for job in jobs]))

    def outcomes(self, jobs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        return results(jobs, self._here)

    def results(self, now_s: float) -> list[dict[str, Any]] | None:
        done, self._done = self._done, None
        return done


def _beside(store: Path, drop: Path) -> Work:
    place = {"store": str(store), "drop": str(drop), "station": "aco"}
    return Work({**place, "rate_hz": 24_000.0, "context_s": 5.0})


@dataclass
class _Bench:
    chore: EvidenceChore
    ledger: Ledger
    metrics: Metrics
    now_s: float = 1000.0
    stop: Event = field(default_factory=Event)

    def turns(self, count: int = 1, *, each_s: float = 100.0) -> None:
        for _ in range(count):
            self.now_s += each_s
            self.chore.do(self.now_s)

    def states(self) -> Counter[tuple[str, str]]:
        with self.ledger.transaction() as database:
            return Counter(database.execute("SELECT kind, state FROM evidence").fetchall())


@contextmanager
def _bench(store: Path, work: Work, **settings: Any) -> Iterator[_Bench]:
    given = Evidence(**{"min_free_gb": 0.0, **settings})
    with open_ledger(store) as ledger:
        metrics = Metrics("loudness", 2.0)
        chore = EvidenceChore(store, given, ledger=ledger, work=work, metrics=metrics)
        yield _Bench(chore, ledger, metrics)
        work.stop()


def _files(store: Path) -> set[str]:
    found = [*store.glob("clips/**/*.*"), *store.glob("pictures/**/*.*")]
    return {str(path.relative_to(store)) for path in found}


def _wanted(store: Path) -> set[str]:
    return {event[kind] for event in stored_events(store) for kind in ("clip", "picture")}


@pytest.fixture
def store(store: Path) -> Path:
    """A store of three events."""
    with sqlite3.connect(store / LEDGER_FILE) as database:
        for table, name in (("events", "id"), ("evidence", "event_id")):
            database.execute(
                f"DELETE FROM {table} WHERE {name} NOT IN "
                "(SELECT id FROM events ORDER BY begin LIMIT 3)"
            )
    database.close()
    return store


@pytest.fixture
def here(heard: Path, store: Path) -> _Here:
    return _Here(store, heard / "drop")


def test_every_event_gets_its_evidence_once_from_a_process_beside(heard: Path, store: Path) -> None:
    work = _beside(store, heard / "drop")
    count = len(stored_events(store))
    assert count > 1
    with _bench(store, work) as bench:
        bench.chore.finish(bench.stop, bench.stop.wait)
        assert bench.states() == {("clip", "made"): count, ("picture", "made"): count}
        assert _files(store) == _wanted(store)
        before = {name: (store / name).stat().st_mtime_ns for name in _files(store)}
        bench.chore.finish(bench.stop, bench.stop.wait)
        assert {name: (store / name).stat().st_mtime_ns for name in _files(store)} == before
        made = bench.metrics.registry.get_sample_value(
            "kilokai_evidence_total", {"kind": "clip", "outcome": "made"}
        )
        assert made == count


def test_a_process_that_dies_costs_one_try_of_the_piece_that_it_was_at(
    heard: Path, store: Path
) -> None:
    broken = Work({"store": str(store)})  # it ends with a traceback
    with _bench(store, broken) as bench:
        bench.turns()
        until(lambda: _ended(broken))
        bench.chore.do(bench.now_s)
        with bench.ledger.transaction() as database:
            query = "SELECT sum(tries), reason FROM evidence WHERE tries"
            tries, reason = database.execute(query).fetchone()
        assert (tries, reason) == (1, "its process ended with exit code 1")
        assert set(bench.states()) == {("clip", "pending"), ("picture", "pending")}


@pytest.mark.parametrize("line", ["a library says hello", "3", "", "{}"])
def test_a_line_that_is_no_result_fails_the_job_that_it_stands_for(
    monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    made = '{"outcome": "made", "size_bytes": 1}'
    says = f"import sys; sys.stdin.read(); print({made!r}); print({line!r}); print({made!r})"
    started = subprocess.Popen

    def talking(_: list[str], **pipes: Any) -> Any:
        return started([sys.executable, "-c", says], **pipes)

    monkeypatch.setattr("daemon.evidence.work.subprocess.Popen", talking)
    work = Work({})
    work.start([{"kind": "clip"}] * 3, 0.0)
    until(lambda: _ended(work))
    made_one, failed = work.results(0.0) or []
    assert made_one == {"outcome": "made", "size_bytes": 1}
    assert failed == {"outcome": "failed", "reason": "it wrote no result"}


def _ended(work: Work) -> bool:
    process = work._process
    return process is None or process.poll() is not None


def test_what_is_made_when_it_is_stopped_is_made_the_next_time(heard: Path, store: Path) -> None:
    work = _beside(store, heard / "drop")
    with _bench(store, work) as bench:
        bench.turns()
        assert work.busy
    (store / HALVES).mkdir(exist_ok=True)
    (store / HALVES / "x.flac").write_bytes(b"half")
    with _bench(store, _Here(store, heard / "drop")) as bench:
        assert not (store / HALVES).exists()
        bench.turns(4)
    assert _files(store) == _wanted(store)


def test_the_sound_after_an_event_is_waited_for_but_not_for_ever(
    heard: Path, store: Path, here: _Here
) -> None:
    last = stored_events(store)[-1]
    with _bench(store, here) as bench:
        with bench.ledger.transaction() as database:
            database.execute("DELETE FROM evidence WHERE event_id != ?", (last["id"],))
            database.execute("DELETE FROM scores WHERE end_us > ?", (_us(last["end"]) + 1_000_000,))
        bench.turns(8, each_s=3.0)
        assert here.asked == []
        bench.turns(4, each_s=3.0)
        assert {job["kind"] for job in here.asked} == {"clip", "picture"}


def _us(text: str) -> int:
    from acoio.clock import to_us

    return to_us(datetime.fromisoformat(text))


def test_sound_that_is_gone_is_told_once_and_not_looked_for_again(store: Path, drop: Path) -> None:
    work = _Here(store, drop)
    with _bench(store, work) as bench:
        bench.turns(6)
        assert set(bench.states()) == {("clip", "gone"), ("picture", "gone")}
        assert len(work.asked) == 2 * len(stored_events(store))
    assert _files(store) == set()


def test_what_fails_is_tried_three_times(heard: Path, store: Path, here: _Here) -> None:
    def failing(jobs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        return ({"outcome": "failed", "reason": "no luck"} for _ in jobs)

    here.outcomes = failing  # type: ignore[method-assign]
    with _bench(store, here) as bench:
        bench.turns(10)
        assert set(bench.states()) == {("clip", "failed"), ("picture", "failed")}
        assert (bench.chore._again_s, bench.chore._seen_s) == ({}, {})
    assert len(here.asked) == 3 * 2 * len(stored_events(store))


def test_an_event_that_closes_again_gets_its_evidence_again(store: Path, here: _Here) -> None:
    with _bench(store, here) as bench:
        bench.turns(4)
        assert all(state == "made" for _, state in bench.states())
        with bench.ledger.transaction() as database:
            database.execute("INSERT OR REPLACE INTO events SELECT * FROM events LIMIT 1")
        assert bench.states()["clip", "pending"] == bench.states()["picture", "pending"] == 1
        bench.turns(3)
        assert all(state == "made" for _, state in bench.states())


def test_what_is_switched_off_is_not_made(store: Path, here: _Here) -> None:
    with _bench(store, here, pictures=False, min_free_gb=0.5) as bench:
        assert value_of(bench.metrics, "kilokai_store_min_free_bytes") == 5e8
        bench.turns(4)
    assert _files(store) == {event["clip"] for event in stored_events(store)}


def test_a_full_disk_costs_pictures_first_then_clips_and_all_comes_back(
    store: Path, here: _Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [20e9]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _ROOM(0, 0, free[0]))
    with _bench(store, here, min_free_gb=1.0) as bench:
        with bench.ledger.transaction() as database:
            database.execute(
                "UPDATE evidence SET state = 'later' WHERE event_id = ?",
                (stored_events(store)[0]["id"],),
            )
        bench.turns(4)
        clips = sum((store / name).stat().st_size for name in _files(store) if "clips" in name)
        with bench.ledger.transaction() as database:
            database.execute("UPDATE evidence SET state = 'pending' WHERE state = 'later'")
        pictures = sum((store / n).stat().st_size for n in _files(store) if "pictures" in n)
        free[0] = 1e9 - pictures
        here.asked.clear()
        bench.turns()
        assert {name.partition("/")[0] for name in _files(store)} == {"clips"}
        free[0] = 1e9 - clips
        bench.turns()
        assert _files(store) == set()
        bench.turns(3)
        assert here.asked == []
        assert len(stored_events(store)) > 1
        free[0] = 20e9
        bench.turns(3)
        assert len(_files(store)) == len(here.asked) == 2
        outcomes = {state for _, state in bench.states()}
        assert outcomes == {"made", "removed"}


def test_what_is_kept_knows_the_last_verdict_on_its_event(store: Path, here: _Here) -> None:
    first, second, third = (event["id"] for event in stored_events(store))
    says = [
        (first, "2024-01-01", "rejected"), (first, "2024-01-02", "confirmed"),
        (second, "2024-01-01", "confirmed"), (second, "2024-01-02", "rejected"),
    ]  # fmt: skip
    with _bench(store, here) as bench:
        with bench.ledger.transaction() as database:
            database.execute("UPDATE evidence SET state = 'made', made_s = 0, size_bytes = 1")
            rows = [(event, at, json.dumps({"verdict": verdict})) for event, at, verdict in says]
            database.executemany("INSERT INTO verdicts VALUES (?, ?, ?)", rows)
        found = {piece.event_id: piece.confirmed for piece in EvidenceRows(bench.ledger).kept()}
    assert found == {first: True, second: False, third: False}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mount file systems of so many bytes, where that is allowed."""
    mounted: list[Path] = []

    def mount(size: int) -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
        if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("mounting is not permitted here")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True)


def test_on_a_disk_that_is_really_full_nothing_is_half_and_then_everything_is_made(
    heard: Path, store: Path, small_disk: Callable[[int], Path]
) -> None:
    disk = small_disk(16 << 20)
    small = Path(shutil.copytree(store, disk / "store"))
    work = _beside(small, heard / "drop")
    with _bench(small, work) as bench:
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free - (150 << 10)))
        bench.chore.finish(bench.stop, bench.stop.wait)
        assert all(kind == "picture" for kind, state in bench.states() if state != "pending")
        assert bench.states()["clip", "pending"] == 3
        assert not [name for name in _files(small) if name.startswith("clips")]
        assert list((small / HALVES).iterdir()) == []
        (disk / "ballast").unlink()
        bench.chore._again_s.clear()
        bench.chore.finish(bench.stop, bench.stop.wait)
        assert set(bench.states()) == {("clip", "made"), ("picture", "made")}
    assert _files(small) == _wanted(small)


def test_killed_at_any_time_it_loses_no_evidence(sea: Sea, drop: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    for name, data in list(sea.cut())[:2]:
        (drop / name).write_bytes(data)
    command = [sys.executable, "-m", "tests.daemon.loud_daemon", "run", "--until-idle"]
    for one in (*sets_of(drop, store), "evidence.clips=true", "evidence.min_free_gb=0"):
        command += ["--set", one]

    def run() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    with run() as process:
        until(lambda: _files(store) or process.poll() is not None, deadline_s=60)
        process.kill()
    with run() as process:
        assert process.wait(60) == 0
    assert _files(store) == {event["clip"] for event in stored_events(store)} != set()
    with reading(store) as database:
        query = "SELECT DISTINCT kind, state FROM evidence ORDER BY kind"
        states = [("clip", "made"), ("picture", "pending")]
        assert database.execute(query).fetchall() == states
