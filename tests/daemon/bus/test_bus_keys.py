"""A bus with keys: real sockets, real keys, and who gets nothing."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import zmq
from structlog.testing import capture_logs

from acoio.errors import SetupError
from daemon.bus.allowed import Allowed
from daemon.bus.gate import Curve
from daemon.bus.keys import allow, make_client, make_server, new_pair, revoke
from daemon.bus.publish import open_publisher
from daemon.client import Subscriber
from tests.daemon.conftest import until
from tests.daemon.station import ANY, Station, heard, listening, station


@dataclass
class _Guarded:
    """A running station with keys, its folder of keys, and whom it refused."""

    station: Station
    folder: Path
    refused: Counter[str]
    server_key: str

    def subscriber(self, name: str, *, timeout: float = 0.3) -> Subscriber:
        return Subscriber(
            self.station.publish,
            self.station.replay,
            since=0,
            timeout=timeout,
            server_key=self.server_key,
            keys=self.folder / f"{name}.secret",
        )


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[_Guarded]:
    """A station that allows ham and eve, and not mallory; each has keys."""
    server = make_server(tmp_path)
    for name in ("ham", "eve", "mallory"):
        public = make_client(tmp_path, name).public
        if name != "mallory":
            allow(tmp_path, name, public)
    refused: Counter[str] = Counter()
    with station(curve=Curve(server, Allowed(tmp_path)), refused=refused) as running:
        for _ in range(3):
            running.say()
        yield _Guarded(running, tmp_path, refused, server.public)


def _all_of(subscriber: Subscriber, numbers: list[int]) -> bool:
    """Wait until it has heard these numbers, and say whether it heard no others."""
    got: list[int] = []

    def all_there() -> bool:
        got.extend(heard(subscriber))
        return len(got) >= len(numbers)

    until(all_there)
    return got == numbers


def test_who_is_allowed_hears_live_and_by_replay(guarded: _Guarded) -> None:
    with guarded.subscriber("ham", timeout=2) as ham:
        events = iter(ham)
        assert [next(events)["n"] for _ in range(3)] == [1, 2, 3]
        listening(guarded.station, ham)
        asked = guarded.station.shelf.asked
        guarded.station.say()
        assert next(events)["n"] == 4
        assert guarded.station.shelf.asked == asked
    assert not guarded.refused


def test_a_strangers_key_gets_nothing_and_is_counted_and_told_once(guarded: _Guarded) -> None:
    told: list[str] = []
    with capture_logs() as logs, guarded.subscriber("mallory", timeout=1) as mallory:
        mallory.notice = told.append
        assert heard(mallory) == []
        until(lambda: guarded.refused["unknown_key"] >= 2)
    assert "the station does not allow this key" in told
    assert guarded.station.shelf.asked == 0
    refusals = [log for log in logs if log.get("reason") == "unknown_key"]
    assert len(refusals) == 1
    assert refusals[0]["address"] == "127.0.0.1"
    public = (guarded.folder / "mallory.pub").read_text()
    assert refusals[0]["key"] in public
    assert set(guarded.refused) == {"unknown_key"}


def test_a_wrong_server_key_gets_nothing_and_is_counted(guarded: _Guarded) -> None:
    guarded.server_key = new_pair().public
    told: list[str] = []
    with guarded.subscriber("ham", timeout=1) as ham:
        ham.notice = told.append
        assert heard(ham) == []
        until(lambda: guarded.refused["wrong_server_key"] >= 1)
    assert "the station hung up: is the server key its own?" in told
    assert guarded.station.shelf.asked == 0
    slow = {"no_handshake"}  # one that a busy machine did not finish in time
    assert set(guarded.refused) - slow == {"wrong_server_key"}


def test_plain_text_gets_nothing_and_is_counted(guarded: _Guarded) -> None:
    told: list[str] = []
    running = guarded.station
    with Subscriber(running.publish, running.replay, since=0, timeout=1) as plain:
        plain.notice = told.append
        assert heard(plain) == []
        until(lambda: guarded.refused["no_handshake"] >= 1)
    assert "only one side has keys, or that is no bus" in told
    assert running.shelf.asked == 0
    assert set(guarded.refused) == {"no_handshake"}


def test_http_gets_nothing_and_is_counted(guarded: _Guarded) -> None:
    host, _, port = guarded.station.publish.removeprefix("tcp://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n" * 20)
        until(lambda: guarded.refused["no_handshake"] == 1)


def test_keys_at_a_station_without_any_get_nothing(tmp_path: Path) -> None:
    make_client(tmp_path, "ham")
    told: list[str] = []
    with station() as running:
        running.say()
        with Subscriber(
            running.publish,
            running.replay,
            since=0,
            timeout=1,
            server_key=new_pair().public,
            keys=tmp_path / "ham.secret",
        ) as ham:
            ham.notice = told.append
            assert heard(ham) == []
    assert "only one side has keys, or that is no bus" in told


def test_a_revoked_client_is_cut_off_and_the_others_miss_nothing(guarded: _Guarded) -> None:
    running = guarded.station
    with guarded.subscriber("ham") as ham, guarded.subscriber("eve") as eve:
        assert heard(ham) == heard(eve) == [1, 2, 3]
        revoke(guarded.folder, "eve")
        until(lambda: heard(eve) == [] and guarded.refused["unknown_key"] > 0)
        for _ in range(3):
            running.say()
        assert heard(eve) == []
        assert _all_of(ham, [4, 5, 6])
        assert (running.publish, running.replay) == running.publisher.endpoints
        public = (guarded.folder / "eve.pub").read_text().split('"')[1]
        allow(guarded.folder, "eve", public)
        assert _all_of(eve, [4, 5, 6])
        listening(running, eve)


@pytest.mark.timeout(30)
def test_an_asker_that_lost_its_connection_for_good_is_replaced(guarded: _Guarded) -> None:
    with guarded.subscriber("ham", timeout=3) as ham:
        assert ham._asker is not None
        ham._asker.close()
        ham._asker = ham._context.socket(zmq.REQ)  # as libzmq leaves one that was refused
        ham._asker.linger = 0
        events = iter(ham)
        assert [next(events)["n"] for _ in range(3)] == [1, 2, 3]


def test_handshakes_wait_while_the_loop_is_busy(guarded: _Guarded) -> None:
    with guarded.station.busy:
        ham = guarded.subscriber("ham", timeout=3)
        began_s = time.monotonic()
        assert ham._live.poll(700) == 0
        assert time.monotonic() - began_s > 0.6
    with ham:
        assert next(iter(ham))["n"] == 1
    assert not guarded.refused


def test_a_publisher_that_is_not_served_shuts_down_at_once_under_a_flood(tmp_path: Path) -> None:
    curve = Curve(make_server(tmp_path), Allowed(tmp_path))
    with zmq.Context() as context:
        with open_publisher(ANY, ANY, curve=curve) as publisher:
            knocking = []
            for _ in range(200):
                knocking.append(context.socket(zmq.SUB))
                knocking[-1].linger = 0
                knocking[-1].connect(publisher.endpoints[0])
            time.sleep(0.5)  # some thousand events that nobody reads
            began_s = time.monotonic()
        assert time.monotonic() - began_s < 60  # one that hangs does so for ever
        for each in knocking:
            each.close()


@pytest.mark.parametrize("lacking", ["server_key", "keys"])
def test_a_subscriber_wants_both_keys_or_none(tmp_path: Path, lacking: str) -> None:
    make_client(tmp_path, "ham")
    server_key = None if lacking == "server_key" else new_pair().public
    keys = None if lacking == "keys" else tmp_path / "ham.secret"
    with pytest.raises(SetupError, match=f"{lacking}: found nothing, wanted both"):
        Subscriber("ipc://a", "ipc://b", server_key=server_key, keys=keys)
