"""The daemon as a process, with its signals, ports, files and exit codes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from acoio.errors import SetupError
from daemon.client import Subscriber
from daemon.ledger.stored import stored_events, stored_files, stored_scores
from detector.files import PRETRAINED, model_folder
from tests.daemon.conftest import until
from tests.daemon.scrapes import page_at
from tests.daemon.sea import Sea

_ROOT = Path(__file__).parents[2]


def _command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "tests.daemon.loud_daemon", *map(str, words)]


def _done(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*words), cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def _port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def settings(drop: Path, tmp_path: Path) -> Path:
    ports = [_port() for _ in range(3)]
    file = tmp_path / "kilokai.toml"
    file.write_text(
        f"[drop]\npath = '{drop}'\nsettle_s = 0.5\nrescan_s = 0.2\n"
        f"[store]\npath = '{tmp_path / 'store'}'\n"
        f"[bus]\npublish = 'tcp://127.0.0.1:{ports[0]}'\nreplay = 'tcp://127.0.0.1:{ports[1]}'\n"
        f"heartbeat_s = 0.2\n[metrics]\nlisten = '127.0.0.1:{ports[2]}'\n"
        "[evidence]\nclips = false\npictures = false\n"
    )
    return file


def _endpoint(settings: Path, key: str) -> str:
    return settings.read_text().split(f"{key} = '")[1].split("'")[0]


@contextmanager
def _running(settings: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (settings.parent / "log").open("ab") as log:
        command = _command("run", "--config", settings)
        process = subprocess.Popen(command, cwd=_ROOT, stderr=log, stdout=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(90)


def _scored(store: Path) -> int:
    try:
        return len(stored_scores(store))
    except SetupError:  # the daemon has not made it yet
        return 0


def _deliver(drop: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Deliver files as rsync does: under another name, then by rename."""
    for name, data in files:
        (drop / f".{name}.Xy").write_bytes(data)
        (drop / f".{name}.Xy").rename(drop / name)


def test_killed_in_the_middle_it_goes_on_as_if_nothing_had_happened(
    settings: Path, drop: Path, sea: Sea, tmp_path: Path
) -> None:
    store, files = tmp_path / "store", list(sea.cut())
    _deliver(drop, files[:2])
    with _running(settings) as process:
        until(lambda: _scored(store) > 0)
        process.kill()
    before = _scored(store)
    _deliver(drop, files[2:])
    with (
        _running(settings) as process,
        Subscriber(_endpoint(settings, "publish"), _endpoint(settings, "replay"), since=0) as bus,
    ):
        heard = []
        for message in bus.messages():
            heard.append(message)
            if message["sequence"] == 3 or message["type"].endswith("event"):
                break
        until(lambda: len(stored_files(store)) == len(files))
        until(lambda: all(file["state"] == "done" for file in stored_files(store)))
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    assert [message["sequence"] for message in heard] == list(range(1, len(heard) + 1))
    found = _done("score", drop, "--json")
    assert found.returncode == 0
    assert json.loads(found.stdout)["scores"] == stored_scores(store)
    assert len(stored_scores(store)) > before
    bouts = [(event["id"], event["bout"]) for event in json.loads(found.stdout)["events"]]
    assert bouts == [(event["id"], event["bout"]) for event in stored_events(store)]
    listed = _done("events", "list", "--json", "--store", store)
    assert json.loads(listed.stdout) == stored_events(store)


def test_live_sound_is_scored_within_seconds_and_counted(
    settings: Path, drop: Path, sea: Sea, tmp_path: Path
) -> None:
    store, (name, _) = tmp_path / "store", next(sea.cut())
    settings.write_text(settings.read_text().replace("settle_s = 0.5", "settle_s = 30"))
    with _running(settings) as process, (drop / name).open("wb", buffering=0) as growing:
        for record in sea.records[:450]:
            growing.write(record)
        until(lambda: _scored(store) > 0)
        before = _scored(store)
        for record in sea.records[450:480]:
            growing.write(record)
        until(lambda: _scored(store) >= before + 4)
        address = _endpoint(settings, "listen")
        until(lambda: 'kilokai_records_total{outcome="read"} 480.0' in page_at(address))
        assert 'kilokai_files_total{outcome="done"} 0.0' in page_at(address)
        second = _done("run", "--config", settings)
        assert second.returncode == 1  # a daemon that is about to end: systemd tries again
        assert f"in use by process {process.pid}" in second.stderr
        other = _done("run", "--config", settings, "--set", f"store.path={tmp_path / 'other'}")
        assert other.returncode == 1
        assert "bus.publish: found tcp://127.0.0.1:" in other.stderr
        assert "Address already in use" in other.stderr
        assert "Traceback" not in second.stderr + other.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(90) == 0


def test_a_wrong_configuration_is_told_whole_and_exits_78(settings: Path) -> None:
    found = _done("run", "--config", settings, "--set", "drop.settle_s=-1", "--set", "a.b=c")
    assert found.returncode == 78
    assert "drop.settle_s: found -1" in found.stderr
    assert "a: found a table, wanted one of" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not there")
@pytest.mark.parametrize(
    ("name", "why"),
    [("card.json", "EIO"), ("kilokai.toml", "EMFILE"), ("store/lock", "EROFS")],
)
def test_what_cannot_be_opened_just_now_is_no_wrong_configuration(
    settings: Path, tmp_path: Path, name: str, why: str
) -> None:
    path = model_folder(PRETRAINED) / name if name == "card.json" else tmp_path / name
    command = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-P", path,
               "-e", "trace=openat", "-e", f"inject=openat:error={why}",
               sys.executable, "-m", "daemon.cli", "run", "--config", settings]  # fmt: skip
    done = subprocess.run(
        [*map(str, command)], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    if "not permitted" in done.stderr:
        pytest.skip("tracing is not permitted here")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert name.rpartition("/")[2] in done.stderr or "store.path" in done.stderr


def test_systemd_hears_that_it_is_ready_and_that_it_lives(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(90)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        with _running(settings) as process:
            assert systemd.recv(1000) == b"READY=1"
            said = {systemd.recv(1000) for _ in range(10)}
            assert b"WATCHDOG=1" in said
            assert any(b"STATUS=nothing scored yet; no backlog; " in line for line in said)
            process.terminate()
            until(lambda: systemd.recv(1000) == b"STOPPING=1")
            assert process.wait(90) == 0


def test_logs_that_nobody_takes_do_not_stop_it(settings: Path, drop: Path, sea: Sea) -> None:
    _deliver(drop, list(sea.cut()))
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.Popen(
        _command("run", "--config", settings, "--until-idle"), cwd=_ROOT, stderr=write_end
    )
    os.close(write_end)
    assert process.wait(60) == 0
