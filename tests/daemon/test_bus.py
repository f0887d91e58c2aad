import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import zmq

from acoio.errors import SetupError
from daemon.client import Subscriber
from daemon.progress import Outgoing
from daemon.publish import Publisher, open_publisher
from daemon.wire import Draft, Kind, heartbeat, numbered, topic
from tests.daemon.conftest import until

_NOW = "2018-10-28T00:00:00.000000Z"


class _Shelf:
    """A ledger in memory; `lost` are numbers that PUB loses."""

    def __init__(self, epoch: str = "one") -> None:
        self.epoch = epoch
        self.kept: list[Outgoing] = []
        self.asked = 0

    @property
    def sequence(self) -> int:
        return len(self.kept)

    @property
    def oldest(self) -> int:
        return 1

    def messages(self, since: int, limit: int) -> list[Outgoing]:
        self.asked += 1
        return self.kept[since : since + limit]

    def add(self, kind: Kind = "event") -> Outgoing:
        number = self.sequence + 1
        draft = Draft(kind, _NOW, {"n": number})
        self.kept.append(numbered(draft, station="aco", epoch=self.epoch, sequence=number))
        return self.kept[-1]


class _Daemon:
    """The bus in a thread of its own, as the daemon's loop would drive it."""

    def __init__(self, publisher: Publisher, shelf: _Shelf) -> None:
        self.shelf = shelf
        self.publisher = publisher
        self.publish, self.replay = publisher.endpoints
        self.outgoing: list[tuple[str, str]] = []
        self.stop = threading.Event()

    def say(self, kind: Kind = "event", *, lost: bool = False, twice: bool = False) -> None:
        message = self.shelf.add(kind)
        self.outgoing += [(message.topic, message.text)] * (0 if lost else 2 if twice else 1)

    def beat(self) -> None:
        text = heartbeat(
            _NOW, station="aco", epoch=self.shelf.epoch, sequence=self.shelf.sequence, newest=None
        )
        self.outgoing.append((topic("heartbeat", "aco"), text))

    def run(self) -> None:
        while not self.stop.is_set():
            while self.outgoing:
                self.publisher.send_text(*self.outgoing.pop(0))
            self.publisher.serve(self.shelf, wait_s=0.01)


@contextmanager
def _daemon(shelf: _Shelf) -> Iterator[_Daemon]:
    ready, stop = threading.Event(), []

    def work() -> None:
        with open_publisher("tcp://127.0.0.1:0", "tcp://127.0.0.1:0") as publisher:
            stop.append(_Daemon(publisher, shelf))
            ready.set()
            stop[0].run()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(5)
    try:
        yield stop[0]
    finally:
        stop[0].stop.set()
        thread.join(5)


@pytest.fixture
def daemon() -> Iterator[_Daemon]:
    with _daemon(_Shelf()) as running:
        yield running


def _heard(subscriber: Subscriber) -> list[int]:
    return [event["n"] for event in subscriber]


def _listening(daemon: _Daemon, subscriber: Subscriber) -> None:
    """Wait until the subscriber hears the live messages: PUB begins to send when it knows it."""
    heard: list[object] = []

    def beats() -> bool:
        daemon.beat()
        heard.append(subscriber._next_live())
        return heard[-1] is not None

    until(beats)


def test_a_late_subscriber_gets_everything_by_replay(daemon: _Daemon) -> None:
    for _ in range(600):  # more than two pages
        daemon.say()
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as late:
        assert _heard(late) == list(range(1, 601))
    with Subscriber(daemon.publish, daemon.replay, since=598, timeout=0.3) as later:
        assert _heard(later) == [599, 600]


def test_without_a_number_only_what_is_new_is_heard(daemon: _Daemon) -> None:
    daemon.say()
    with Subscriber(daemon.publish, daemon.replay, timeout=0.3) as subscriber:
        assert _heard(subscriber) == []
        daemon.say()
        assert _heard(subscriber) == [2]


def test_a_missing_number_is_asked_for_and_order_is_kept(daemon: _Daemon) -> None:
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        _listening(daemon, subscriber)
        daemon.say()
        daemon.say(lost=True)
        daemon.say()
        assert _heard(subscriber) == [1, 2, 3]


def test_a_loss_at_the_end_is_found_by_the_heartbeat(daemon: _Daemon) -> None:
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        _listening(daemon, subscriber)
        assert _heard(subscriber) == []
        daemon.say(lost=True)
        assert _heard(subscriber) == []
        daemon.beat()
        assert _heard(subscriber) == [1]


def test_what_comes_twice_is_handed_over_once(daemon: _Daemon) -> None:
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        _listening(daemon, subscriber)
        daemon.say(twice=True)
        daemon.say("gap", twice=True)
        daemon.say(twice=True)
        assert _heard(subscriber) == [1, 3]


def test_another_epoch_is_followed_from_its_beginning(daemon: _Daemon) -> None:
    daemon.say()
    with Subscriber(daemon.publish, daemon.replay, since=0, timeout=0.3) as subscriber:
        assert _heard(subscriber) == [1]
        daemon.shelf.epoch, daemon.shelf.kept = "two", []
        daemon.say()
        daemon.say()
        daemon.beat()
        assert _heard(subscriber) == [1, 2]
        assert subscriber.place.epoch == "two"


def test_a_subscriber_waits_for_a_daemon_that_is_away() -> None:
    with open_publisher("tcp://127.0.0.1:0", "tcp://127.0.0.1:0") as publisher:
        publish, replay = publisher.endpoints
    with Subscriber(publish, replay, timeout=0.2) as subscriber:
        assert list(subscriber) == []


def test_a_port_in_use_is_the_operators_fault(daemon: _Daemon) -> None:
    with (
        pytest.raises(SetupError, match=rf"bus\.publish: found {daemon.publish}: Address already"),
        open_publisher(daemon.publish, "tcp://127.0.0.1:0"),
    ):
        pass


def test_replay_answers_a_plain_request_socket_and_survives_garbage(daemon: _Daemon) -> None:
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
