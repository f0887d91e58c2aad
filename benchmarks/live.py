"""From the record that completes a window to the message, of a file that grows as at sea."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from acoio.clock import record_us
from acoio.reader import read_chunks
from benchmarks.feed import Feed, records
from benchmarks.service import daemon_on, wait_scored
from benchmarks.timing import Row
from daemon.client import Subscriber
from detector import PRETRAINED, Listener, load_model

RATE_HZ = 24_000.0
LAST_S = 5.0  # for the messages of the last record


def rows(files: Sequence[Path], folder: Path, *, minutes: int, speed: float) -> Iterator[Row]:
    """Yield the median and the 99th percentile of seconds from a record to its message."""
    spent = record_to_message_s(Feed(files), folder, files=minutes // 5, speed=speed)
    how = "as at sea" if speed == 1.0 else f"at {speed:g} × real time"
    what = f"from a record to the message of the event it opens, files that grow {how}"
    figure = (
        f"{statistics.median(spent):.2f} s, 99 %: {np.percentile(spent, 99):.2f} s "
        f"({len(spent)} events in {minutes} minutes)"
    )
    yield what, figure, "3 s"


def record_to_message_s(feed: Feed, folder: Path, *, files: int, speed: float) -> list[float]:
    """Return how long after the write of its record each event's message came, in seconds.

    One whole file fills the memory of the chain; the next grow record by record, each
    write at its time.  Which record opens an event is known from the chain in this process.
    """
    contents = [feed.file(k) for k in range(files + 1)]
    opens = _opening_records(contents, folder / "chain")
    with daemon_on(folder) as (child, drop):
        (name, content), *growing = contents
        (drop / name).write_bytes(content)
        wait_scored(child, 300.0)
        with _Hearer(child.publish, child.replay) as hearer:
            written = _grow(drop, growing, speed)
            time.sleep(LAST_S)
    return [hearer.at_s[event] - written[k] for event, k in opens.items() if event in hearer.at_s]


def _opening_records(contents: Sequence[tuple[str, bytes]], folder: Path) -> dict[str, int]:
    """Return the events that open after the first file, each with its record's number there."""
    folder.mkdir(parents=True)
    listener = Listener(load_model(PRETRAINED), station="aco")
    opens: dict[str, int] = {}
    number = 0
    for k, (name, content) in enumerate(contents):
        (folder / name).write_bytes(content)
        for chunk in read_chunks(folder / name, rate_hz=RATE_HZ):
            if not k:
                listener.push(chunk.records, name)
                continue
            for record in chunk.records:
                heard = listener.push([record], name)
                opens |= {e.id: number for e in heard.events if e.status == "open"}
                number += 1
    return opens


def _grow(drop: Path, contents: Sequence[tuple[str, bytes]], speed: float) -> list[float]:
    """Write files record by record at their pace, and return when each record was written."""
    each_s = record_us() / 1e6 / speed
    begin_s = time.monotonic()
    written: list[float] = []
    for name, content in contents:
        with (drop / name).open("wb", buffering=0) as file:
            for record in records(content):
                time.sleep(max(begin_s + len(written) * each_s - time.monotonic(), 0.0))
                file.write(record)
                written.append(time.monotonic())
    return written


class _Hearer:
    """A subscriber in a thread: `at_s` is when each event's first message came."""

    def __init__(self, publish: str, replay: str) -> None:
        self.at_s: dict[str, float] = {}
        self._subscriber = Subscriber(publish, replay, timeout=LAST_S)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._hear)

    def __enter__(self) -> _Hearer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _hear(self) -> None:
        with self._subscriber as events:
            while not self._stop.is_set():
                for event in events:
                    self.at_s.setdefault(event["id"], time.monotonic())
