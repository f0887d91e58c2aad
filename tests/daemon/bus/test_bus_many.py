"""Twenty subscribers, of which some are slow, stop, come late, crash or reconnect."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import psutil
import pytest
import zmq

from daemon.bus.publish import open_publisher
from daemon.client import Subscriber
from tests.daemon.conftest import until
from tests.daemon.station import ANY, Shelf, Station, listening, station

_ROOT = Path(__file__).parents[3]
_MESSAGES = 1_500
_FIRST = 300  # said before the late ones come


class _Listener:
    """A subscriber with a context of its own, in a thread of its own."""

    def __init__(self, running: Station, manner: str) -> None:
        self.got: list[int] = []
        self.failed: list[BaseException] = []
        self.stop = threading.Event()
        self._manner = manner
        self._running = running
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self) -> None:
        since: int | str = 0
        try:
            while not self.stop.is_set():
                since = self._listen(since)
        except BaseException as error:  # a test's thread must not fail in silence
            self.failed.append(error)

    def _listen(self, since: int | str) -> int | str:
        """Listen for a while, or until the test is over; return where to go on."""
        running = self._running
        with Subscriber(running.publish, running.replay, since=since, timeout=0.2) as subscriber:
            for event in subscriber:
                self.got.append(event["n"])
                if self._manner == "slow":
                    time.sleep(0.002)
                if self._manner == "reconnecting" and len(self.got) % 200 == 0:
                    break
            return str(subscriber.place) if subscriber.place.epoch else since


class _Process:
    """`kilokai subscribe` as a process; what it prints is what it heard."""

    def __init__(self, running: Station, folder: Path) -> None:
        self.out, self._place = folder / "out", folder / "place"
        self._command = [
            *(sys.executable, "-P", "-m", "daemon.cli", "subscribe", "--json", "--since", "0"),
            *("--place", str(self._place)),
            *("--publish", running.publish, "--replay", running.replay),
        ]
        self.start()

    def start(self) -> None:
        with self.out.open("ab") as out:
            self.process = subprocess.Popen(
                self._command, cwd=_ROOT, stdout=out, stderr=subprocess.DEVNULL
            )

    @property
    def got(self) -> list[int]:
        lines = self.out.read_bytes().split(b"\n")[:-1]
        return [json.loads(line)["n"] for line in lines]


@contextmanager
def _processes(running: Station, folder: Path, count: int) -> Iterator[list[_Process]]:
    made = []
    for k in range(count):
        (folder / str(k)).mkdir()
        made.append(_Process(running, folder / str(k)))
    try:
        yield made
    finally:
        for each in made:
            each.process.send_signal(signal.SIGCONT)
            each.process.kill()
            each.process.wait(90)


def test_twenty_subscribers_each_get_every_event_once_and_in_order(
    tmp_path: Path,
) -> None:
    with station() as running, _processes(running, tmp_path, 4) as processes:
        manners = ["plain"] * 4 + ["slow"] * 4 + ["reconnecting"] * 4
        listeners = [_Listener(running, manner) for manner in manners]
        _say(running, _FIRST)
        listeners += [_Listener(running, manner) for manner in ("plain", "reconnecting") * 2]
        until(lambda: all(len(each.got) > 0 for each in processes))
        stopped, crashed = processes[0].process, processes[1]
        stopped.send_signal(signal.SIGSTOP)
        crashed.process.kill()
        crashed.process.wait(90)
        _say(running, _MESSAGES - _FIRST)
        stopped.send_signal(signal.SIGCONT)
        crashed.start()
        everyone: list[_Listener | _Process] = [*listeners, *processes]
        whole = list(range(1, _MESSAGES + 1))

        def all_there() -> bool:
            running.beat()
            time.sleep(0.1)
            return all(len(each.got) >= _MESSAGES for each in everyone)

        until(all_there, deadline_s=60)
        for listener in listeners:
            listener.stop.set()
            listener.thread.join(10)
        assert not any(listener.failed for listener in listeners)
        assert len(everyone) == 20
        for each in everyone:
            assert each.got == whole or each is crashed
        seen = dict.fromkeys(crashed.got)  # one who is killed may hear its last event again
        assert list(seen) == whole
        assert len(crashed.got) <= _MESSAGES + 1


def _say(running: Station, count: int) -> None:
    for k in range(count):
        running.say(lost=k % 97 == 50)
        if k % 50 == 49:
            until(lambda: not running.outgoing)


def test_stalled_subscribers_cost_no_time_and_bounded_memory() -> None:
    shelf = Shelf()
    text = shelf.add(pad="x" * 700).text
    with open_publisher(ANY, ANY) as publisher, zmq.Context() as context, ExitStack() as stack:

        def slowest_s(count: int) -> float:
            slowest = 0.0
            for _ in range(count):
                began_s = time.thread_time()
                publisher.send_text("kilokai.v1.event.aco", text)
                slowest = max(slowest, time.thread_time() - began_s)
            publisher.serve(shelf, wait_s=0.0)
            return slowest

        for k in range(20):
            stalled = stack.enter_context(context.socket(zmq.SUB))
            stalled.linger, stalled.rcvhwm, stalled.rcvbuf = 0, 1, 4096
            stalled.subscribe("kilokai.v1.event.aco"[:k])
            stalled.connect(publisher.endpoints[0])
        until(lambda: publisher.serve(shelf, wait_s=0.01) == 0 and publisher._topics == 20)
        slowest_s(30_000)  # more than waits for any
        process = psutil.Process(os.getpid())
        full = process.memory_info().rss
        assert slowest_s(60_000) < 0.05
        assert process.memory_info().rss - full < 10e6


def test_what_a_stalled_subscriber_lost_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.bus.publish._WAITING_MESSAGES", 200)
    with (
        station() as running,
        Subscriber(running.publish, running.replay, since=0, timeout=60) as stalled,
    ):
        listening(running, stalled)
        with running.busy:
            for _ in range(20_000):  # of 1 kB, more than libzmq and the kernel hold for it
                message = running.shelf.add(pad="x" * 700)
                running.publisher.send([message])
        given = [event["n"] for event in islice(stalled, 20_000)]
        assert given == list(range(1, 20_001))
        assert running.shelf.asked > 10
