"""Clients in other languages, written from docs/bus.md alone."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import zmq

from daemon.bus.allowed import Allowed
from daemon.bus.gate import Curve
from daemon.bus.keys import Pair, allow, make_client, make_server
from tests.daemon.conftest import until
from tests.daemon.station import Station, station

_ROOT = Path(__file__).parents[3]
_NODE, _GCC = shutil.which("node"), shutil.which("gcc")
_LIBRARIES = list((Path(zmq.__file__).parents[1] / "pyzmq.libs").glob("libzmq*.so*"))


def _node_has_zeromq() -> bool:
    words = [str(_NODE), "-e", "require('zeromq')"]
    return bool(_NODE) and subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Pair, Pair]:
    """The station's pair and that of a client that it allows."""
    server, client = make_server(tmp_path), make_client(tmp_path, "ham")
    allow(tmp_path, "ham", client.public)
    return server, client


@pytest.fixture
def running(tmp_path: Path, keys: tuple[Pair, Pair]) -> Iterator[Station]:
    with station(curve=Curve(keys[0], Allowed(tmp_path))) as made:
        yield made


class _Lines:
    """A process, and the lines that it has written so far."""

    def __init__(self, out: Path, *command: str, environ: Mapping[str, str] | None = None) -> None:
        self.out = out
        with out.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, env=environ)

    def read(self) -> list[str]:
        return self.out.read_text().splitlines()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(90)


@pytest.mark.skipif(not _node_has_zeromq(), reason="wants node with the package zeromq")
def test_the_javascript_of_the_docs_gets_every_event_once_and_in_order(
    running: Station, keys: tuple[Pair, Pair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"```js\n(.*?)```", (_ROOT / "docs/bus.md").read_text(), re.DOTALL)
    for _ in range(600):  # more than two pages
        running.say()
    server, client = keys
    monkeypatch.setenv("LIVE", running.publish.rpartition(":")[2])
    monkeypatch.setenv("REPLAY", running.replay.rpartition(":")[2])
    monkeypatch.setenv("SERVER_KEY", server.public)
    monkeypatch.setenv("PUBLIC_KEY", client.public)
    monkeypatch.setenv("SECRET_KEY", client.secret)
    listener = _Lines(tmp_path / "out", str(_NODE), "-e", code)
    try:
        _until_written(listener, 600, running)
        for k in range(30):
            running.say("gap" if k % 5 == 0 else "event", lost=k % 7 == 3, twice=k % 4 == 2)
        _until_written(listener, 624, running)
        running.shelf.epoch, running.shelf.kept = "two", []
        running.say()
        running.say(lost=True)
        _until_written(listener, 626, running)
        numbers = [json.loads(line)["n"] for line in listener.read()]
        assert numbers == [*range(1, 601), *(601 + k for k in range(30) if k % 5), 1, 2]
    finally:
        listener.stop()


def _until_ended(listener: _Lines, running: Station) -> None:
    def ended() -> bool:
        running.say()
        return listener.process.poll() is not None

    until(ended)


def _until_written(listener: _Lines, count: int, running: Station) -> None:
    def all_there() -> bool:
        running.beat()
        return len(listener.read()) >= count

    until(all_there)


@pytest.mark.skipif(not (_GCC and _LIBRARIES), reason="wants gcc, and the libzmq of pyzmq's wheel")
def test_a_client_in_c_gets_what_it_missed_and_what_comes(
    running: Station, keys: tuple[Pair, Pair], tmp_path: Path
) -> None:
    library = _LIBRARIES[0]
    program, source = str(tmp_path / "listener"), str(Path(__file__).with_name("listener.c"))
    linked = (str(library), f"-Wl,-rpath,{library.parent}")
    subprocess.run(
        [str(_GCC), "-Wall", "-Werror", "-o", program, source, *linked], check=True, timeout=60
    )
    running.say()
    running.say()
    server, client = keys
    words = (running.publish, running.replay, "2", server.public, client.public, client.secret)
    listener = _Lines(tmp_path / "out", program, *words)
    try:
        until(listener.read)
        _until_ended(listener, running)
        assert listener.process.wait(90) == 0
        missed, *live = (json.loads(line) for line in listener.read())
        assert [message["sequence"] for message in missed["messages"]] == [1, 2]
        assert live[1]["sequence"] == live[0]["sequence"] + 1 > 3
    finally:
        listener.stop()
