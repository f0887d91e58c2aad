"""Subscribers of a real daemon with keys, which is killed and started again."""

import json
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acoio.errors import SetupError
from daemon.bus.keys import allow, make_client, make_server
from daemon.client import Subscriber
from daemon.ledger.stored import stored_files
from tests.daemon.conftest import until
from tests.daemon.sea import Sea

_ROOT = Path(__file__).parents[3]


@dataclass
class _Place:
    """A daemon's configuration, and where it listens."""

    folder: Path
    ports: list[int]

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def write(self) -> None:
        publish, replay, metrics = self.ports
        (self.folder / "kilokai.toml").write_text(
            f"[drop]\npath = '{self.folder / 'drop'}'\nsettle_s = 0.5\nrescan_s = 0.2\n"
            f"[store]\npath = '{self.folder / 'store'}'\n"
            f"[bus]\npublish = 'tcp://0.0.0.0:{publish}'\nreplay = 'tcp://0.0.0.0:{replay}'\n"
            f"keys = '{self.keys}'\nheartbeat_s = 0.2\n"
            f"[metrics]\nlisten = '127.0.0.1:{metrics}'\n"
        )

    def subscriber(self, name: str) -> Subscriber:
        publish, replay, _ = self.ports
        return Subscriber(
            f"tcp://127.0.0.1:{publish}",
            f"tcp://127.0.0.1:{replay}",
            since=0,
            timeout=1,
            server_key=self.keys / "server.pub",
            keys=self.folder / f"{name}.secret",
        )

    def refused(self) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[2]}/metrics") as page:
            lines = page.read().decode().splitlines()
        name = 'kilokai_bus_refused_total{reason="unknown_key"} '
        return float(next(line for line in lines if line.startswith(name)).split()[-1])

    def done(self) -> set[str]:
        try:
            files = stored_files(self.folder / "store")
        except SetupError:  # the daemon has not made it yet
            return set()
        return {file["name"] for file in files if file["state"] == "done"}

    def messages(self) -> list[dict[str, Any]]:
        ledger = f"file:{self.folder / 'store' / 'ledger.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(ledger, uri=True)) as database:
            rows = database.execute("SELECT json FROM outbox ORDER BY sequence").fetchall()
        return [json.loads(text) for (text,) in rows]

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        """Give a running daemon, and kill it at the end."""
        command = [sys.executable, "-m", "tests.daemon.loud_daemon", "run", "--config"]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*command, str(self.folder / "kilokai.toml")], cwd=_ROOT, stderr=log, stdout=log
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait(90)


def _ports() -> list[int]:
    found = []
    for _ in range(3):
        with closing(socket.socket()) as each:
            each.bind(("127.0.0.1", 0))
            found.append(int(each.getsockname()[1]))
    return found


@pytest.fixture
def place(tmp_path: Path) -> _Place:
    made = _Place(tmp_path, _ports())
    (tmp_path / "drop").mkdir()
    make_server(made.keys)
    for name in ("ham", "mallory"):
        public = make_client(tmp_path, name).public
        if name == "ham":
            allow(made.keys, name, public)
    made.write()
    return made


def test_a_restart_of_the_daemon_costs_a_subscriber_nothing(place: _Place, sea: Sea) -> None:
    heard: list[dict[str, Any]] = []
    stop = threading.Event()

    def listen() -> None:
        with place.subscriber("ham") as ham:
            while not stop.is_set():
                heard.extend(ham.messages())

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        files = dict(sea.cut())
        with place.daemon():
            for name in list(files)[:2]:
                (place.folder / "drop" / name).write_bytes(files[name])
            until(lambda: heard, deadline_s=60)
        with place.daemon(), place.subscriber("mallory") as mallory:
            for name in list(files)[2:]:
                (place.folder / "drop" / name).write_bytes(files[name])
            until(lambda: place.done() == files.keys(), deadline_s=60)
            until(lambda: len(heard) >= len(place.messages()))
            assert list(mallory.messages()) == []
            until(lambda: place.refused() > 0)
    finally:
        stop.set()
        listener.join(20)
    assert heard == place.messages()
    assert len(heard) > 5
    log = (place.folder / "log").read_text()
    assert '"reason": "unknown_key"' in log
    secrets = [path.read_text().split('"')[3] for path in place.folder.rglob("*.secret")]
    assert len(secrets) == 3
    assert not any(secret in log for secret in secrets)


def test_a_secret_that_others_can_read_is_a_wrong_setup(place: _Place) -> None:
    (place.keys / "server.secret").chmod(0o644)
    with place.daemon() as process:
        assert process.wait(60) == 78
    said = (place.folder / "log").read_text()
    assert "found mode 0644, so others can read it, wanted 0600" in said
    assert "Traceback" not in said
