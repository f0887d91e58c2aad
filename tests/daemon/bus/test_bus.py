import errno
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zmq

from acoio.errors import NotReadyError
from daemon.bus.publish import open_publisher
from daemon.client import Subscriber
from tests.daemon.conftest import until
from tests.daemon.station import Station, heard, listening, station


@pytest.fixture
def daemon() -> Iterator[Station]:
    with station() as running:
        yield running


def test_a_late_subscriber_gets_everything_by_replay(daemon: Station) -> None:
    for _ in range(600):  # more than two pages
        daemon.say()
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as late:
        assert heard(late) == list(range(1, 601))
    with Subscriber(daemon.publish, daemon.replay, since=598, timeout=0.3) as later:
        assert heard(later) == [599, 600]


def test_without_a_number_only_what_is_new_isheard(daemon: Station) -> None:
    daemon.say()
    with Subscriber(daemon.publish, daemon.replay, timeout=0.3) as subscriber:
        assert heard(subscriber) == []
        daemon.say()
        assert heard(subscriber) == [2]


def test_subscribers_are_counted_while_they_are_there_and_only_they(daemon: Station) -> None:
    host, _, port = daemon.publish.removeprefix("tcp://").rpartition(":")
    with zmq.Context() as context, closing(socket.create_connection((host, int(port)))):
        peers = [context.socket(zmq.SUB) for _ in range(4)]
        for peer in peers:
            peer.linger = 0
            peer.connect(daemon.publish)
        until(lambda: daemon.publisher.subscribers == 4)
        peers[0].close()
        until(lambda: daemon.publisher.subscribers == 3)
        with daemon.busy:
            daemon.publisher._send_away(daemon.publisher._publish)
            assert daemon.publisher.subscribers == 0
        until(lambda: daemon.publisher.subscribers == 3)  # who was sent away may come again
        for peer in peers:
            peer.close()
    until(lambda: daemon.publisher.subscribers == 0)


def test_a_missing_number_is_asked_for_and_order_is_kept(daemon: Station) -> None:
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        listening(daemon, subscriber)
        daemon.say()
        daemon.say(lost=True)
        daemon.say()
        assert heard(subscriber) == [1, 2, 3]


def test_a_loss_at_the_end_is_found_by_the_heartbeat(daemon: Station) -> None:
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        listening(daemon, subscriber)
        assert heard(subscriber) == []
        daemon.say(lost=True)
        assert heard(subscriber) == []
        daemon.beat()
        assert heard(subscriber) == [1]


def test_what_comes_twice_is_handed_over_once(daemon: Station) -> None:
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        listening(daemon, subscriber)
        daemon.say(twice=True)
        daemon.say("gap", twice=True)
        daemon.say(twice=True)
        assert heard(subscriber) == [1, 3]


def test_a_summary_is_no_event_and_yet_one_of_the_messages(daemon: Station) -> None:
    daemon.say()
    daemon.say("summary")
    daemon.say()
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        assert heard(subscriber) == [1, 3]
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        kinds = [message["type"].rpartition(".")[2] for message in subscriber.messages()]
        assert kinds == ["event", "summary", "event"]


def test_another_epoch_is_followed_from_its_beginning(daemon: Station) -> None:
    daemon.say()
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=1) as subscriber:
        assert heard(subscriber) == [1]
        daemon.shelf.epoch, daemon.shelf.kept = "two", []
        daemon.say()
        daemon.say()
        daemon.beat()
        assert heard(subscriber) == [1, 2]
        assert subscriber.place.epoch == "two"


def test_a_subscriber_waits_for_a_daemon_that_is_away() -> None:
    with open_publisher("tcp://127.0.0.1:0", "tcp://127.0.0.1:0") as publisher:
        publish, replay = publisher.endpoints
    with Subscriber(publish, replay, timeout=0.2) as subscriber:
        assert list(subscriber) == []


def test_a_port_in_use_is_named(daemon: Station) -> None:
    with (
        pytest.raises(
            NotReadyError, match=rf"bus\.publish: found {daemon.publish}: Address already"
        ),
        open_publisher(daemon.publish, "tcp://127.0.0.1:0"),
    ):
        pass


def test_replay_answers_a_plain_request_socket_and_survives_garbage(daemon: Station) -> None:
    daemon.say()
    with zmq.Context() as context, context.socket(zmq.DEALER) as raw:
        raw.linger = 0
        raw.connect(daemon.replay)
        raw.send(b"garbage")
        assert raw.poll(2000)
        assert json.loads(raw.recv())["error"] == "bad_request"
        raw.send_multipart([b"7", b"", b'{"epoch": "one", "since": 0}'])
        assert raw.poll(2000)
        *way, reply = raw.recv_multipart()
        assert way == [b"7", b""]
        assert [message["sequence"] for message in json.loads(reply)["messages"]] == [1]


def _has_ipv6() -> bool:
    with closing(socket.socket(socket.AF_INET6)) as found:
        return found.connect_ex(("::1", 9)) != errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    "kind",
    ["ipc", pytest.param("tcp6", marks=pytest.mark.skipif(not _has_ipv6(), reason="wants ::1"))],
)
def test_it_works_over_ipc_and_ipv6(kind: str, tmp_path: Path) -> None:
    places = {
        "ipc": (f"ipc://{tmp_path}/live", f"ipc://{tmp_path}/replay"),
        "tcp6": ("tcp://[::1]:0", "tcp://[::1]:0"),
    }[kind]
    with (
        station(publish=places[0], replay=places[1]) as running,
        Subscriber(running.publish, running.replay, since=0, timeout=0.3) as subscriber,
    ):
        running.say()
        listening(running, subscriber)
        running.say()
        assert heard(subscriber) == [1, 2]
