"""A disk that is full, that fails, that may not be written, that a reading holds back."""

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

import pytest

from acoio.errors import NotReadyError
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import open_ledger
from daemon.ledger.mark import MARK_FILE
from daemon.ledger.storage import NoRoomError
from daemon.ledger.stored import reading, stored_events, stored_files, stored_scores
from daemon.progress import FileProgress
from daemon.service.room import FIRST_S, LONGEST_S, Room
from daemon.service.run import run
from tests.daemon.conftest import config_of, until
from tests.daemon.ledger.test_ledger import _MODEL, _score, _step
from tests.daemon.sea import Sea


@contextmanager
def small_disk(place: Path, *, mebibytes: int = 4, options: str = "") -> Iterator[Path]:
    """Mount a small disk at a place, or skip the test where that is not permitted."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m{options}", "none", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Leave no room on a disk, and give it back."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            _write_all(file.fileno(), size)
    try:
        yield
    finally:
        ballast.unlink()


def _write_all(handle: int, size: int) -> None:
    while True:
        try:
            os.write(handle, bytes(size))
        except OSError:
            return


def test_a_full_disk_keeps_nothing_of_a_step_and_takes_it_once_there_is_room(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk") as disk, open_ledger(disk / "store") as ledger:
        ledger.commit(_step(1), _MODEL)
        large = FileProgress("b" * 200_000)
        with filled(disk):
            for _ in range(3):
                with pytest.raises(NoRoomError, match="nothing was kept"):
                    ledger.commit(_step(2, files=(large,)), _MODEL)
            assert (ledger.sequence, list(ledger.files)) == (1, ["a"])
            assert ledger.messages(0, 9)[-1].sequence == 1
        ledger.commit(_step(2, files=(large,)), _MODEL)
        assert ledger.sequence == 2


def test_a_start_on_a_full_disk_reads_what_is_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        with open_ledger(disk / "store") as ledger:
            ledger.commit(_step(1), _MODEL)
            shutil.copytree(disk / "store", disk / "killed")
        for path in (disk / "killed").iterdir():
            if path.name != MARK_FILE:  # the disk is the same one
                shutil.copy(path, disk / "store")
        with filled(disk), open_ledger(disk / "store") as ledger:
            assert (ledger.rebuilt, ledger.sequence) == (False, 1)


def test_no_room_to_begin_a_ledger_is_waited_for(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / "store").mkdir()
        with filled(disk), pytest.raises(NotReadyError), open_ledger(disk / "store"):
            pass
        with open_ledger(disk / "store") as ledger:
            assert ledger.sequence == 0


def test_no_inode_left_is_said_and_passes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", options=",nr_inodes=3") as disk:
        with pytest.raises(NotReadyError, match=r"store\.path"), open_ledger(disk / "store"):
            pass
        subprocess.run(["mount", "-o", "remount,nr_inodes=30", str(disk)], check=True)
        with open_ledger(disk / "store") as ledger:
            ledger.commit(_step(1), _MODEL)


def test_a_store_that_is_read_only_for_now_is_waited_for(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        with open_ledger(disk / "store"):
            pass
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        wanted = r"store\.path: .*Read-only file system"
        with pytest.raises(NotReadyError, match=wanted), open_ledger(disk / "store"):
            pass


_ROOT = Path(__file__).parents[2]


def _daemon(drop: Path, store: Path, *more: str) -> list[str | Path]:
    sets = [f"drop.path={drop}", f"store.path={store}", "drop.settle_s=0.3", "drop.rescan_s=0.2",
            "bus.publish=tcp://127.0.0.1:0", "bus.replay=tcp://127.0.0.1:0",
            "bus.heartbeat_s=0.2", "metrics.listen=127.0.0.1:0"]  # fmt: skip
    words = [word for text in sets for word in ("--set", text)]
    return [sys.executable, "-m", "tests.daemon.loud_daemon", "run", *words, *more]


def _flushes(log: Path) -> list[str]:
    return re.findall(r"f\w*sync\(.*", log.read_text())


@pytest.mark.usefixtures("loud")
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not there")
@pytest.mark.parametrize("name", [f"{LEDGER_FILE}-wal", "ledger.witness"])
def test_a_failed_flush_ends_the_daemon_and_is_never_tried_again(
    full_drop: Path, tmp_path: Path, name: str
) -> None:
    store, log = tmp_path / "store", tmp_path / "strace"
    daemon = _daemon(full_drop, store, "--until-idle")
    strace = ["strace", "-f", "--seccomp-bpf", "-o", str(log), "-P", str(store / name),
              "-e", "trace=fsync,fdatasync",
              "-e", "inject=fsync,fdatasync:error=EIO:when=3"]  # fmt: skip
    done = subprocess.run(
        [*strace, *daemon], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    if "not permitted" in done.stderr:
        pytest.skip("tracing is not permitted here")
    assert done.returncode == 1
    assert "the disk of the store fails" in done.stderr
    assert "Traceback" not in done.stderr
    assert ["EIO" in line for line in _flushes(log)] == [False, False, True]
    _goes_on_as_if_nothing_had_happened(full_drop, store)


_FILLS_THE_LOG: Final = """
import sys
from pathlib import Path
from daemon.ledger.aside import guarded
from daemon.ledger.ledger import open_ledger
store = Path(sys.argv[1])
with open_ledger(store) as ledger, guarded(store):
    for number in range(int(sys.argv[2])):
        with ledger.transaction() as database:
            row = f"ballast {number % 4}", f"{number}" * 100_000
            database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", row)
"""


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not there")
@pytest.mark.parametrize("call", ["fsync,fdatasync", "pwrite64"])
@pytest.mark.parametrize("steps", [100, 1])
def test_a_disk_that_fails_as_the_log_is_brought_into_the_ledger_ends_the_daemon(
    tmp_path: Path, call: str, steps: int
) -> None:
    store, log = tmp_path / "store", tmp_path / "strace"
    with open_ledger(store):
        pass
    strace = ["strace", "-f", "--seccomp-bpf", "-o", log, "-P", store / LEDGER_FILE,
              "-e", f"trace={call}", "-e", f"inject={call}:error=EIO"]  # fmt: skip
    command = [*map(str, strace), sys.executable, "-c", _FILLS_THE_LOG, str(store), str(steps)]
    done = subprocess.run(
        command, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    if "not permitted" in done.stderr:
        pytest.skip("tracing is not permitted here")
    assert done.returncode == 1
    assert "the disk of the store fails" in done.stdout
    assert log.read_text().count("EIO") == 1
    with open_ledger(store) as ledger:
        assert not ledger.rebuilt


def _read_in_turns(store: Path, stop: Event) -> None:
    while not stop.is_set():
        with reading(store) as database:
            database.execute("BEGIN")
            database.execute("SELECT * FROM meta").fetchone()
            stop.wait(0.05)


def test_readers_that_take_turns_do_not_let_the_log_grow_without_end(tmp_path: Path) -> None:
    wal, stop, sizes = tmp_path / f"{LEDGER_FILE}-wal", Event(), []
    with open_ledger(tmp_path) as ledger:
        readers = [Thread(target=_read_in_turns, args=(tmp_path, stop)) for _ in range(4)]
        for reader in readers:
            reader.start()
        for number in range(100):
            with ledger.transaction() as database:
                row = f"ballast {number % 4}", f"{number:02d}" * 500_000
                database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", row)
            sizes.append(wal.stat().st_size)
        stop.set()
        for reader in readers:
            reader.join()
    assert max(sizes) < 24 << 20


def _goes_on_as_if_nothing_had_happened(drop: Path, store: Path) -> None:
    fresh = store.with_name("fresh")
    for place in (store, fresh):
        assert run(config_of(drop, place), until_idle=True) == 0
    assert stored_scores(store) == stored_scores(fresh)
    assert stored_events(store) == stored_events(fresh)
    with open_ledger(store) as ledger:
        assert not ledger.rebuilt
        numbers = [message.sequence for message in ledger.messages(0, 10_000)]
        assert numbers == list(range(1, ledger.sequence + 1))


def _metrics(log: Path) -> dict[str, float]:
    (address,) = re.findall(r'"metrics": "([^"]+)"', log.read_text())
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as page:
        lines = page.read().decode().splitlines()
    plain = [line.split() for line in lines if not line.startswith("#") and "{" not in line]
    return {name: float(value) for name, value in plain}


@pytest.mark.usefixtures("loud")
def test_on_a_full_disk_the_daemon_answers_and_goes_on_when_there_is_room(
    drop: Path, sea: Sea, tmp_path: Path
) -> None:
    log, files = tmp_path / "log", list(sea.cut())
    with small_disk(tmp_path / "disk") as disk, log.open("wb") as out:
        store = disk / "store"
        command = _daemon(drop, store)
        with subprocess.Popen(command, cwd=_ROOT, stderr=out) as process:
            try:
                until(lambda: b'"ready"' in log.read_bytes())
                with filled(disk):
                    for name, data in files:
                        (drop / name).write_bytes(data)
                    until(lambda: _metrics(log)["kilokai_store_full"] == 1)
                    known = {file["name"]: file["state"] for file in stored_files(store)}
                    assert "done" not in known.values()
                    sent = _metrics(log)["kilokai_bus_sequence"]
                    until(lambda: log.read_bytes().count(b"the store is full") == 1)
                    assert _metrics(log)["kilokai_bus_sequence"] == sent
                until(lambda: [f["state"] for f in stored_files(store)] == ["done"] * len(files))
                assert _metrics(log)["kilokai_store_full"] == 0
                process.terminate()
                assert process.wait(90) == 0
            finally:
                process.kill()
        assert b"the store has room again" in log.read_bytes()
        _goes_on_as_if_nothing_had_happened(drop, store)


def test_the_log_shrinks_again_after_a_reader_held_it_back(tmp_path: Path) -> None:
    wal = tmp_path / f"{LEDGER_FILE}-wal"
    with open_ledger(tmp_path) as ledger:
        ledger.commit(_step(1), _MODEL)
        with reading(tmp_path) as other, closing(other.execute("SELECT * FROM meta")) as rows:
            rows.fetchone()
            while wal.stat().st_size < 20 << 20:
                number = ledger.sequence + 1
                scores = tuple(_score(4000 * number + k) for k in range(4000))
                ledger.commit(_step(number, scores=scores), _MODEL)
        for _ in range(3):
            number = ledger.sequence + 1
            ledger.commit(_step(number, scores=(_score(4000 * number),)), _MODEL)
        assert wal.stat().st_size <= 16 << 20


def test_a_full_store_is_tried_ever_less_often_up_to_a_limit() -> None:
    room, now_s, waits = Room(), 100.0, []
    assert room.may_try(now_s)
    for _ in range(8):
        room.refused(now_s)
        assert not room.may_try(now_s + 0.9 * FIRST_S)
        began_s = now_s
        while not room.may_try(now_s):
            now_s += 0.5
        waits.append(now_s - began_s)
    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, LONGEST_S]
    room.took()
    assert room.may_try(now_s)
    room.refused(now_s)
    assert room.may_try(now_s + FIRST_S)
