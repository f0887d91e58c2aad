"""A follower hands over each message once and in order, whatever it hears and misses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.bus.follow import Follower, Place, live_message, moved, replay_message
from daemon.bus.replay import answer
from tests.daemon.station import Shelf


class _World:
    """A station and one follower of it; what is live goes through as the network pleases."""

    def __init__(self, since: int | None) -> None:
        self.shelf = Shelf("e0")
        self.lives = 0
        self.said: list[bytes] = []
        self.beats: list[bytes] = []
        self.handed: list[tuple[str, int]] = []
        self.forgot = False
        self.follower = Follower(Place.at(since))

    def hear(self, text: bytes) -> None:
        message = live_message([b"topic", text])
        assert message is not None
        if self.follower.live(message):
            self.hand(message)

    def hand(self, message: dict[str, Any]) -> None:
        self.handed.append((message["epoch"], message["sequence"]))

    def say(self) -> bytes:
        self.said.append(self.shelf.add().text.encode())
        return self.said[-1]

    def beat(self) -> bytes:
        self.beats.append(self.shelf.beat()[1].encode())
        return self.beats[-1]

    def ask(self) -> None:
        data = answer(json.dumps(self.follower.request).encode(), self.shelf)
        reply = replay_message(data.encode())
        assert reply is not None
        for message in self.follower.replayed(reply):
            self.hand(message)

    def settle(self) -> None:
        self.hear(self.beat())
        for _ in range(20):
            if not self.follower.missing:
                return
            self.ask()
        pytest.fail("it asks for ever")

    def live(self, times: int) -> None:
        text = self.say()
        for _ in range(times):
            self.hear(text)

    def again(self, texts: list[bytes], pick: int) -> None:
        if texts:
            self.hear(texts[pick % len(texts)])

    def ask_if_missing(self) -> None:
        if self.follower.missing:
            self.ask()

    def lose_ledger(self) -> None:
        self.lives += 1
        self.shelf.epoch, self.shelf.kept, self.shelf.oldest = f"e{self.lives}", [], 1

    def forget(self, pick: int) -> None:
        self.forgot = True
        self.shelf.oldest = max(1, self.shelf.sequence - pick % 3)


_STEPS: dict[str, Callable[[_World, int], object]] = {
    "live": lambda world, _: world.live(1),
    "twice": lambda world, _: world.live(2),
    "lost": lambda world, _: world.say(),
    "stale": lambda world, pick: world.again(world.said, pick),
    "beat": lambda world, _: world.hear(world.beat()),
    "old beat": lambda world, pick: world.again(world.beats, pick),
    "ask": lambda world, _: world.ask_if_missing(),
    "other ledger": lambda world, _: world.lose_ledger(),
    "forget": lambda world, pick: world.forget(pick),
}


@settings(max_examples=300)
@given(
    since=st.sampled_from([None, 0]),
    steps=st.lists(st.tuples(st.sampled_from(sorted(_STEPS)), st.integers(0, 50)), max_size=40),
)
def test_each_message_is_handed_over_once_and_in_order_and_none_is_left_out(
    since: int | None, steps: list[tuple[str, int]]
) -> None:
    world = _World(since)
    for what, pick in steps:
        _STEPS[what](world, pick)
    world.settle()
    shelf = world.shelf
    assert len(set(world.handed)) == len(world.handed)
    epochs = [int(epoch[1:]) for epoch, _ in world.handed]
    assert epochs == sorted(epochs)
    for epoch in {epoch for epoch, _ in world.handed}:
        numbers = [number for its, number in world.handed if its == epoch]
        whole = list(range(numbers[0], numbers[-1] + 1))
        assert numbers == sorted(numbers) if world.forgot else numbers == whole
    if since == 0 and not world.forgot:
        newest = [number for its, number in world.handed if its == shelf.epoch]
        assert newest == list(range(1, shelf.sequence + 1))
    place = world.follower.place
    assert (place.epoch, place.sequence) == (shelf.epoch, shelf.sequence)


def test_a_number_of_a_lost_ledger_is_no_reason_to_go_deaf() -> None:
    world = _World(500)
    for _ in range(3):
        world.say()
    world.settle()
    assert world.handed == [("e0", 1), ("e0", 2), ("e0", 3)]


def test_what_retention_took_is_passed_over_and_told() -> None:
    world = _World(2)
    for _ in range(9):
        world.say()
    world.shelf.oldest = 6
    reply = replay_message(answer(b'{"epoch": "e0", "since": 2}', world.shelf).encode())
    assert reply is not None
    assert moved(reply) == "the station keeps no message that old"
    world.settle()
    assert world.handed == [("e0", n) for n in (6, 7, 8, 9)]


def test_a_place_is_the_id_and_nonce_of_the_message_handed_over_last() -> None:
    shelf = Shelf("a1b2")
    message = json.loads(shelf.add().text)
    place = Place.at(0)
    assert place.takes(message)
    assert str(place) == f"{message['id']}-{message['nonce']}"
    assert Place.at(str(place)) == place
    assert Place.at(message["id"]) == Place("a1b2", 1)
    assert Place.at("7") == Place.at(7) == Place(None, 7)


@pytest.mark.parametrize("since", [-1, "", "x", "1.5", "a-", "a-b", "-1", "a b-1", True])
def test_what_is_no_place_is_refused(since: int | str) -> None:
    with pytest.raises(ValueError, match="wanted a number or a message's id"):
        Place.at(since)


@pytest.mark.parametrize("again", [3, 5, 9])
@pytest.mark.parametrize("restarted", [False, True])
def test_numbers_given_out_twice_are_taken_anew(again: int, restarted: bool) -> None:
    """The disk was set back from number 5 to number 2, and gave numbers out up to `again`."""
    world = _World(0)
    for _ in range(5):
        world.say()
    world.settle()
    world.handed.clear()
    del world.shelf.kept[2:]
    world.shelf.life = "b"
    for _ in range(again - 2):
        world.say()
    if restarted:
        world.follower = Follower(Place.at(str(world.follower.place)))
    world.settle()
    anew = list(range(3, again + 1))
    assert [number for _, number in world.handed][-len(anew) :] == anew
    assert world.follower.place.nonce == world.shelf.nonce(again)


def test_a_subscriber_that_knows_no_nonce_is_served_as_ever() -> None:
    shelf = Shelf("e0")
    for _ in range(3):
        shelf.add()
    reply = json.loads(answer(b'{"epoch": "e0", "since": 2}', shelf))
    assert [message["sequence"] for message in reply["messages"]] == [3]


_GOOD = json.loads(Shelf().add().text)


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b"topic"],
        [b"topic", b"{}", b"more"],
        [b"topic", b""],
        [b"topic", b"\xff"],
        [b"topic", b"[" * 50_000],
        [b"topic", b"7"],
        *(
            [b"topic", json.dumps({**_GOOD, **wrong}).encode()]
            for wrong in ({"sequence": "1"}, {"sequence": True}, {"sequence": -1}, {"epoch": 1})
        ),
        *([b"topic", json.dumps({**_GOOD, key: None}).encode()] for key in ("type", "data")),
        [b"topic", json.dumps({"data": {"epoch": "e", "newest_sequence": None}}).encode()],
    ],
)
def test_what_is_no_message_is_nothing(frames: list[bytes]) -> None:
    assert live_message(frames) is None


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"[]",
        b"{}",
        b'{"error": "bad_request", "epoch": "e", "oldest": 1, "newest": 0}',
        b'{"epoch": "e", "oldest": 1, "newest": 0}',
        b'{"epoch": "e", "oldest": 1, "newest": "0", "messages": []}',
        b'{"epoch": "e", "oldest": 1, "newest": 1, "messages": [{"sequence": 1}]}',
    ],
)
def test_what_is_no_reply_is_nothing(reply: bytes) -> None:
    assert replay_message(reply) is None
