"""A station of which only the bus is real: what it keeps is in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from daemon.bus.gate import Curve
from daemon.bus.publish import Publisher, open_publisher
from daemon.bus.wire import Draft, Kind, Newest, heartbeat, nonce_of, numbered, topic
from daemon.client import Subscriber
from daemon.progress import Outgoing
from tests.daemon.conftest import until

NOW = "2018-10-28T00:00:00.000000Z"
ANY = "tcp://127.0.0.1:0"


class Shelf:
    """A ledger in memory; `oldest` is what retention left, `life` changes with its disk."""

    def __init__(self, epoch: str = "one") -> None:
        self.epoch = epoch
        self.kept: list[Outgoing] = []
        self.oldest = 1
        self.asked = 0
        self.life = "a"

    @property
    def sequence(self) -> int:
        return len(self.kept)

    def messages(self, since: int, limit: int) -> list[Outgoing]:
        self.asked += 1
        return self.kept[since : since + limit]

    def nonce(self, number: int) -> str | None:
        return nonce_of(self.kept[number - 1].text) if 1 <= number <= len(self.kept) else None

    def add(self, kind: Kind = "event", **data: object) -> Outgoing:
        number = self.sequence + 1
        draft = Draft(kind, NOW, {"n": number, **data})
        place = {"epoch": self.epoch, "nonce": f"{self.life}n{number}"}
        self.kept.append(numbered(draft, station="aco", sequence=number, **place))
        return self.kept[-1]

    def beat(self) -> tuple[str, str]:
        newest = Newest(self.epoch, self.sequence, self.nonce(self.sequence))
        text = heartbeat(NOW, station="aco", newest=newest, scored=None)
        return topic("heartbeat", "aco"), text


class Station:
    """The bus in a thread of its own, as the daemon's loop would drive it."""

    def __init__(self, publisher: Publisher, shelf: Shelf) -> None:
        self.shelf = shelf
        self.publisher = publisher
        self.publish, self.replay = publisher.endpoints
        self.outgoing: list[tuple[str, str]] = []
        self.served = 0
        self.stop = threading.Event()
        self.busy = threading.Lock()

    def say(self, kind: Kind = "event", *, lost: bool = False, twice: bool = False) -> None:
        """Send a message, or let PUB lose it."""
        message = self.shelf.add(kind)
        self.outgoing += [(message.topic, message.text)] * (0 if lost else 2 if twice else 1)

    def beat(self) -> None:
        self.outgoing.append(self.shelf.beat())

    def run(self) -> None:
        while not self.stop.is_set():
            with self.busy:
                while self.outgoing:
                    self.publisher.send_text(*self.outgoing.pop(0))
                self.served += self.publisher.serve(self.shelf, wait_s=0.01)


@contextmanager
def station(
    shelf: Shelf | None = None,
    *,
    publish: str = ANY,
    replay: str = ANY,
    curve: Curve | None = None,
    refused: Counter[str] | None = None,
) -> Iterator[Station]:
    """Give a running station, and count in `refused` whom it did not let in."""
    ready, made = threading.Event(), []
    counts: Counter[str] = Counter() if refused is None else refused

    def work() -> None:
        with open_publisher(
            publish, replay, curve=curve, refused=lambda reason: counts.update([reason])
        ) as publisher:
            made.append(Station(publisher, Shelf() if shelf is None else shelf))
            ready.set()
            made[0].run()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(90)
    try:
        yield made[0]
    finally:
        made[0].stop.set()
        thread.join(5)


def heard(subscriber: Subscriber) -> list[int]:
    """Return what the events say that come until it is quiet."""
    return [event["n"] for event in subscriber]


def listening(running: Station, subscriber: Subscriber) -> None:
    """Wait until the subscriber hears the live messages: PUB begins to send when it knows it."""

    def beats() -> bool:
        running.beat()
        return subscriber._next_live() is not None

    until(beats)
