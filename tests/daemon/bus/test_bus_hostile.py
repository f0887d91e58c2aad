"""What strangers do to the bus's ports: it survives, counts them, and serves the others."""

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, cycle
from queue import Queue
from threading import Event, Thread

import psutil
import pytest
import zmq

from daemon.bus.handshakes import Handshakes
from daemon.bus.publish import open_publisher
from daemon.bus.replay import PAGE_MESSAGES
from daemon.client import Subscriber
from tests.daemon.conftest import until
from tests.daemon.station import ANY, Shelf, Station, heard, listening, station

_GREETING = b"\xff\0\0\0\0\0\0\0\1\x7f\x03\0NULL" + bytes(48)  # of ZMTP 3.0
_HTTP = b"GET / HTTP/1.1\r\nHost: kilokai\r\n\r\n" * 20


@pytest.fixture
def refused() -> Counter[str]:
    return Counter()


@pytest.fixture
def running(refused: Counter[str]) -> Iterator[Station]:
    with station(refused=refused) as made:
        yield made


def _tcp(endpoint: str, data: bytes = b"") -> socket.socket:
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    peer = socket.create_connection((host, int(port)), timeout=60)
    peer.sendall(data)
    return peer


def _still_serves(running: Station) -> None:
    """Say one message live, and see that a subscriber gets everything."""
    with Subscriber(running.publish, running.replay, since=0, timeout=1) as honest:
        listening(running, honest)
        running.say()
        assert heard(honest) == list(range(1, running.shelf.sequence + 1))


@pytest.mark.parametrize(
    "data",
    [
        _HTTP,
        b"\x16\x03\x01" + bytes(range(256)) * 40,
        _GREETING[:20],
        b"",
        _GREETING + b"\x04\xff" + b"x" * 500,
    ],
)
def test_what_is_no_peer_is_refused_and_counted(
    running: Station, refused: Counter[str], data: bytes
) -> None:
    for endpoint in (running.publish, running.replay):
        with _tcp(endpoint, data):
            pass
    until(lambda: refused["no_handshake"] == 2)
    _still_serves(running)
    assert set(refused) == {"no_handshake"}


def test_half_open_peers_are_given_up_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.bus.publish._GREETING_MS", 300)
    refused: Counter[str] = Counter()
    with station(refused=refused) as running, ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(_tcp(running.publish, _GREETING[:11]))
        _still_serves(running)
        until(lambda: refused["too_slow"] == 100)


def test_an_oversized_frame_costs_its_sender_the_connection(running: Station) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as peer:
        peer.linger = 0
        peer.connect(running.replay)
        memory = psutil.Process().memory_info().rss
        for _ in range(50):
            peer.send(b'{"since": 0, "pad": "' + b"x" * 1_000_000 + b'"}')
        assert peer.poll(300) == 0
        assert psutil.Process().memory_info().rss - memory < 80e6  # of which 50 are the sender's
    assert running.served == 0
    _still_serves(running)


def test_a_million_subscriptions_are_bounded_and_their_sender_sent_away(
    running: Station, refused: Counter[str]
) -> None:
    with Subscriber(running.publish, running.replay, since=0, timeout=0.5) as honest:
        listening(running, honest)
        with zmq.Context() as context, context.socket(zmq.SUB) as peer:
            peer.linger = 0
            peer.sndhwm = 1_000
            peer.connect(running.publish)
            for k in range(20_000):
                peer.subscribe(f"{k}-{'x' * 100}".encode())
            until(lambda: refused["too_many_topics"] >= 1)
            running.say()
            running.say()
            got: list[int] = []

            def all_there() -> bool:
                running.beat()
                got.extend(heard(honest))
                return len(got) >= 2

            until(all_there)
            assert got == [1, 2]


def test_many_askers_at_once_are_answered_in_pieces() -> None:
    shelf = Shelf()
    for _ in range(2 * PAGE_MESSAGES):
        shelf.add()
    with (
        open_publisher(ANY, ANY) as publisher,
        zmq.Context() as context,
        ExitStack() as stack,
    ):
        for _ in range(50):
            peer = stack.enter_context(context.socket(zmq.DEALER))
            peer.linger = 0
            peer.connect(publisher.endpoints[1])
            for _ in range(20):
                peer.send(b'{"epoch": "one", "since": 0}')
        served, slowest_s = 0, 0.0

        def some() -> bool:
            nonlocal served, slowest_s
            began_s = time.thread_time()
            count = publisher.serve(shelf, wait_s=0.01)
            slowest_s = max(slowest_s, time.thread_time() - began_s)
            served += count
            assert count <= 32
            return served == 1_000

        until(some)
        assert slowest_s < 0.2  # 0.02 on a quiet machine


def test_who_asks_on_without_reading_holds_a_few_pages_at_most(running: Station) -> None:
    for _ in range(PAGE_MESSAGES):
        running.shelf.add(pad="x" * 3_000)
    page_bytes = 3_200 * PAGE_MESSAGES
    with zmq.Context() as context, context.socket(zmq.DEALER) as peer:
        peer.linger = 0
        peer.rcvhwm = 1
        peer.connect(running.replay)
        memory = psutil.Process().memory_info().rss
        for _ in range(300):
            peer.send(b'{"epoch": "one", "since": 0}')
        until(lambda: running.served >= 300)
        grown = psutil.Process().memory_info().rss - memory
        assert grown < 60 * page_bytes  # what the kernel and both sides hold, of 300
    _still_serves(running)


def test_a_subscriber_survives_what_is_no_message() -> None:
    nonsense = [
        [b"kilokai.v1.event.aco"],
        [b"kilokai.v1.event.aco", b"garbage"],
        [b"kilokai.v1.event.aco", b'{"sequence": "one"}'],
        [b"kilokai.v1.heartbeat.aco", b'{"data": {}}'],
        [b"kilokai.v1.event.aco", b"{}", b"{}"],
    ]
    with (
        station() as running,
        Subscriber(running.publish, running.replay, since=0, timeout=0.5) as honest,
    ):
        listening(running, honest)
        with running.busy:
            for frames in nonsense:
                running.publisher._publish.send_multipart(frames)
        running.say()
        assert heard(honest) == [1]


@contextmanager
def _rogue(replies: Iterator[object]) -> Iterator[tuple[str, list[bytes]]]:
    """Give a replay endpoint that answers so, and what it is asked."""
    asked: list[bytes] = []
    stop, ports = Event(), Queue[int]()

    def work() -> None:
        with zmq.Context() as context, context.socket(zmq.REP) as socket:
            socket.linger = 0
            ports.put(socket.bind_to_random_port("tcp://127.0.0.1"))
            while not stop.is_set():
                if socket.poll(20):
                    asked.append(socket.recv())
                    reply = next(replies)
                    socket.send(reply if isinstance(reply, bytes) else json.dumps(reply).encode())

    thread = Thread(target=work)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{ports.get(timeout=5)}", asked
    finally:
        stop.set()
        thread.join(5)


def test_a_subscriber_survives_a_replay_that_talks_nonsense(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.client._ASK_AGAIN_S", 0.05)
    nonsense = cycle([b"garbage", [], {"error": "bad_request"}, {"messages": [1]}])
    told: list[str] = []
    with station() as running, _rogue(nonsense) as (endpoint, asked):
        with Subscriber(running.publish, endpoint, since=0, timeout=60) as subscriber:
            subscriber.notice = told.append
            listening(running, subscriber)
            running.say()
            events = iter(subscriber)
            assert next(events)["n"] == 1
            running.say(lost=True)
            running.beat()
            running.outgoing.append((running.shelf.kept[1].topic, running.shelf.kept[1].text))
            assert next(events)["n"] == 2
        assert asked
    assert set(told) == {f"{endpoint} answers what is no reply"}


def test_a_station_whose_epoch_changes_at_every_look_is_not_asked_in_a_rush() -> None:
    changed = (
        {"error": "epoch_changed", "epoch": f"e{k}", "oldest": 1, "newest": 9} for k in count()
    )
    with station() as running, _rogue(changed) as (endpoint, asked):
        with Subscriber(running.publish, endpoint, since=0, timeout=1.5) as subscriber:
            assert heard(subscriber) == []
        assert 2 <= len(asked) <= 6


def test_a_quiet_line_makes_a_subscriber_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.client._QUIET_S", 0.3)
    with station() as running, Subscriber(ANY, running.replay, since=0, timeout=2) as deaf:
        running.say(lost=True)
        events = iter(deaf)
        assert next(events)["n"] == 1
        running.say(lost=True)
        assert next(events)["n"] == 2


def test_refusals_are_counted_once_whichever_connection_was_let_in() -> None:
    accepted, succeeded = zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_SUCCEEDED
    failed, closed = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_DISCONNECTED
    for story, wanted in (
        ([(accepted, 5), (succeeded, 0), (closed, 5)], []),
        ([(accepted, 5), (closed, 5)], ["no_handshake"]),
        ([(accepted, 5), (failed, 32), (closed, 5)], ["no_handshake"]),
        (
            [(accepted, 5), (accepted, 6), (succeeded, 0), (closed, 5), (closed, 6)],
            ["no_handshake"],
        ),
        (
            [(accepted, 5), (accepted, 6), (succeeded, 0), (failed, 11), (closed, 5), (closed, 6)],
            ["too_slow"],
        ),
    ):
        handshakes = Handshakes(lambda connection: connection)
        reasons = [handshakes.take(event, value, 0.0) for event, value in story]
        assert [reason for reason in reasons if reason] == wanted
