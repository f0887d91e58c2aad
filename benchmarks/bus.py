"""The bus: messages a second to twenty subscribers, and what a stalled one changes."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final

import psutil
import zmq

from benchmarks.timing import Row
from daemon.bus.publish import Publisher, open_publisher
from daemon.bus.wire import Draft, numbered
from daemon.client import Subscriber
from daemon.progress import Outgoing

SUBSCRIBERS: Final = 20
PROCESSES: Final = 4
MESSAGES: Final = 5_000
BATCH: Final = 50
ROUNDS: Final = 3
PATIENCE_S: Final = 120.0
ANY: Final = "tcp://127.0.0.1:0"


class _Shelf:
    """A ledger in memory, of events as large as real ones."""

    epoch = "bench"
    oldest = 1

    def __init__(self) -> None:
        self.kept: list[Outgoing] = []

    @property
    def sequence(self) -> int:
        return len(self.kept)

    def messages(self, since: int, limit: int) -> list[Outgoing]:
        return self.kept[since : since + limit]

    def nonce(self, number: int) -> str | None:
        return "n" if 1 <= number <= len(self.kept) else None

    def add(self) -> Outgoing:
        draft = Draft("event", "2018-10-28T00:00:00.000000Z", {"pad": "x" * 450})
        last = len(self.kept)
        place = {"epoch": self.epoch, "nonce": "n"}
        self.kept.append(numbered(draft, station="aco", sequence=last + 1, **place))
        return self.kept[-1]


def rows() -> Iterator[Row]:
    """Yield messages a second, from the first send to the last subscriber's last message."""
    for stalled, what in ((0, ""), (1, ", one more stalled")):
        rates, sends, grown = zip(*(_measured(stalled) for _ in range(ROUNDS)), strict=True)
        yield (
            f"bus, {SUBSCRIBERS} subscribers{what}: events a second to each; a send; memory grown",
            f"{statistics.median(rates):.0f} ({min(rates):.0f}–{max(rates):.0f}); "
            f"{1e6 * statistics.median(sends):.0f} µs; {max(grown):.0f} MB",
            "",
        )


def _measured(stalled: int) -> tuple[float, float, float]:
    """Return messages a second, CPU seconds of a send, and how much memory grew, in MB."""
    shelf = _Shelf()
    with (
        open_publisher(ANY, ANY) as publisher,
        _listeners(publisher) as (ready, done),
        zmq.Context() as context,
        context.socket(zmq.SUB) as deaf,
    ):
        deaf.linger, deaf.rcvhwm = 0, 1
        if stalled:
            deaf.subscribe("")
            deaf.connect(publisher.endpoints[0])
        _serve_until(publisher, shelf, lambda: ready.value == SUBSCRIBERS)
        memory, began_s = psutil.Process().memory_info().rss, time.perf_counter()
        sending_s = _said(publisher, shelf)
        _serve_until(publisher, shelf, lambda: done.value == SUBSCRIBERS)
        spent_s = time.perf_counter() - began_s
        grown = (psutil.Process().memory_info().rss - memory) / 1e6
    return MESSAGES / spent_s, sending_s / MESSAGES, grown


def _said(publisher: Publisher, shelf: _Shelf) -> float:
    """Send all messages, in batches as the daemon's steps do; return the CPU seconds of sending."""
    sending_s = 0.0
    for _ in range(MESSAGES // BATCH):
        batch = [shelf.add() for _ in range(BATCH)]
        began_s = time.thread_time()
        publisher.send(batch)
        sending_s += time.thread_time() - began_s
        publisher.serve(shelf, wait_s=0.0)
    return sending_s


@contextmanager
def _listeners(publisher: Publisher) -> Iterator[tuple[Any, Any]]:
    """Give how many subscribers listen, and how many heard everything."""
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Value("i", 0), spawn.Value("i", 0)
    words = (*publisher.endpoints, ready, done)
    processes = [spawn.Process(target=_listen, args=words) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    try:
        yield ready, done
    finally:
        for process in processes:
            process.join(10)
            process.kill()


def _listen(publish: str, replay: str, ready: Any, done: Any) -> None:
    """Run a process's subscribers, each in a thread, until each has heard everything."""

    def work() -> None:
        with Subscriber(publish, replay, since=0, timeout=0.2) as subscriber:
            list(subscriber)
            with ready.get_lock():
                ready.value += 1
            while subscriber.place.sequence != MESSAGES:
                for message in subscriber.messages():
                    if message["sequence"] == MESSAGES:
                        break
        with done.get_lock():
            done.value += 1

    threads = [Thread(target=work) for _ in range(SUBSCRIBERS // PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _serve_until(publisher: Publisher, shelf: _Shelf, fact: Any) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not fact():
        publisher.serve(shelf, wait_s=0.01)
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"bus: wanted {SUBSCRIBERS} subscribers done in {PATIENCE_S} s")


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ")
