"""11 to 18: what happens to the drop while it is read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from acoio.clock import record_us
from acoio.filename import FileName
from tests.daemon.sea import records_of
from tests.faults.lab import Lab
from tests.faults.life import until
from tests.faults.reference import Files
from tests.faults.registry import fault


@contextmanager
def meanwhile(do: Callable[[], None]) -> Iterator[None]:
    """Do something over and over in a thread."""
    stop = threading.Event()

    def over_and_over() -> None:
        while not stop.is_set():
            do()

    thread = threading.Thread(target=over_and_over)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


@fault(
    11, "files deleted or renamed between the look and the read",
    how="a thread that makes, renames and deletes a recording some 500 times",
    wanted="no error, no stop, nothing left waiting",
)  # fmt: skip
def vanishing(lab: Lab) -> str:
    rounds = 0
    data = lab.files[3][1][:200_000]

    def come_and_go() -> None:
        nonlocal rounds
        rounds += 1
        path = lab.drop / f"2024-03-01--07.{rounds % 60:02d}.HYD24BBpk"
        path.write_bytes(data)
        time.sleep(0.002 * (rounds % 5))
        path.rename(gone := lab.drop / f"2024-03-01--08.{rounds % 60:02d}.HYD24BBpk")
        gone.unlink()

    with lab.life() as life:
        life.ready()
        with meanwhile(come_and_go):
            until(lambda: rounds > 20, "some came and went")
            lab.put()
            until(lambda: {n for n, _ in lab.files} <= lab.rows().keys(), "the others are read")
            until(lambda: rounds > 200, "many came and went")
        lab.all_done()
        assert not life.ended()
    lab.sound = None  # what was heard of those that went is in the ledger too
    return f"{rounds} files came and went"


@fault(
    12, "a file that grows while it is read",
    how="a thread appends 50 kB every 2 ms, not at the records' ends",
    wanted="each record once, none cut",
)  # fmt: skip
def appended(lab: Lab) -> None:
    name, _ = lab.files[0]
    whole = b"".join(data for _, data in lab.files)
    lab.sound = [(name, whole)]
    with lab.life() as life:
        life.ready()
        with (lab.drop / name).open("wb", buffering=0) as out:
            for at in range(0, len(whole), 50_000):
                out.write(whole[at : at + 50_000])
                time.sleep(0.002)
        lab.changed()
        until(lambda: lab.rows()[name]["bytes_read"] == len(whole), "all of it is read")


@fault(
    13, "a file cut short while it is read",
    how="os.truncate to a third, 20 times, in the middle of reading; whole again in the end",
    wanted="no crash, no endless try; told, and read on once it is whole",
)  # fmt: skip
def truncated(lab: Lab) -> str:
    lab.put(lab.files[:3])
    name, data = lab.files[3]
    path, rounds = lab.drop / name, 0

    def cut_and_grow() -> None:
        nonlocal rounds
        rounds += 1
        path.write_bytes(data)
        time.sleep(0.01 * (rounds % 4))
        os.truncate(path, len(data) // 3)
        time.sleep(0.01)

    with lab.life() as life:
        life.ready()
        with meanwhile(cut_and_grow):
            until(lambda: rounds > 20, "it was cut often")
            until(lambda: name in lab.rows(), "it was read")
        path.write_bytes(data)
        lab.changed()
        until(lambda: lab.rows()[name]["bytes_read"] == len(data), "the whole file is read")
        assert not life.ended()
    return f"cut {rounds} times"


@fault(
    14, "a burst while the daemon is busy",
    how="SIGSTOP; 6,000 files of one record come (18,000 events, queue 16,384); SIGCONT",
    wanted="every one read, oldest first, in bounded memory", fast=False,
)  # fmt: skip
def burst(lab: Lab) -> str:
    count = 6_000
    records = [lab.sea.records[k % len(lab.sea.records)] for k in range(count)]
    begin = datetime.fromisoformat("2024-03-01T06:00Z")
    lab.sound = None
    with lab.life() as life:
        life.ready()
        rss = life.status("VmRSS")
        life.signal(19)
        for k, record in enumerate(records):
            name = str(FileName(begin + timedelta(minutes=k)))
            (lab.drop / name).write_bytes(record)
        lab.changed()
        life.signal(18)
        begin_s = time.monotonic()
        lab.all_done(deadline_s=300)
        spent_s, more = time.monotonic() - begin_s, life.status("VmRSS") - rss
    assert len(lab.rows()) == count
    assert more < 150_000, f"memory: {more} kB more, wanted less than 150 MB"
    return f"{count} files in {spent_s:.0f} s, {more / 1000:.0f} MB more memory"


def _is_done(lab: Lab, name: str) -> None:
    until(lambda: lab.rows().get(name, {}).get("state") == "done", "the file is done")


@fault(
    15, "old days that come late, and files out of order",
    how="the third file first, then the others backwards",
    wanted="every window scored once, to the bits of sound in order; events told as late",
)  # fmt: skip
def late(lab: Lab) -> str:
    lab.in_order = False
    with lab.life() as life:
        life.ready()
        for k in (2, 1, 3, 0):
            lab.put([lab.files[k]])
            _is_done(lab, lab.files[k][0])
    return f"{len(lab.scores())} windows"


def without(lab: Lab, k: int) -> Files:
    return [file for n, file in enumerate(lab.files) if n != k]


@fault(
    16, "a file that is missing between two others",
    how="the second file does not come",
    wanted="a gap is told with its seconds, nothing scored in the minute after it",
)  # fmt: skip
def gap(lab: Lab) -> str:
    lab.sound = without(lab, 1)
    lab.put(lab.sound)
    with lab.life() as life:
        life.ready()
        lab.all_done()
        seconds = life.metric("kilokai_gap_seconds_total")
    told = [m["data"]["seconds"] for m in lab.outbox() if m["type"].endswith(".gap")]
    each = sum(1 for _ in records_of(lab.files[1][1])) * record_us(24_000) / 1e6
    assert len(told) == 1, told
    assert abs(told[0] - each) < 0.5, (told, each)
    assert abs(seconds - each) < 0.5, seconds
    return f"{told[0]:.1f} s told"


@fault(
    17, "files that overlap",
    how="a file from the middle of the first to the middle of the second, and the first's own",
    wanted="no window is scored twice, nothing is stuck",
)  # fmt: skip
def overlapping(lab: Lab) -> None:
    each = len(list(lab.sea.records)) // 4
    middle = b"".join(lab.sea.records[each // 2 : each + each // 2])
    lab.put([*lab.files[:1], ("2024-03-01--06.01.HYD24BBpk", middle), *lab.files[1:]])
    assert lab.run() == 0
    begins = [score["begin"] for score in lab.scores()]
    assert len(begins) == len(set(begins))
    assert len(begins) > 150, len(begins)
    lab.sound = None


@fault(
    18, "no file for a long time",
    how="nothing comes; time is heartbeats of 0.2 s, and a watchdog of 0.4 s that listens",
    wanted="heartbeats go on and tell the newest sound; the watchdog is fed",
)  # fmt: skip
def silence(lab: Lab) -> str:
    lab.put()
    with lab.life() as life:
        life.ready()
        lab.all_done()
        newest = lab.scores()[-1]["end"]
        before = len(lab.recorder.beats)
        until(lambda: len(lab.recorder.beats) >= before + 10, "heartbeats")
        assert lab.recorder.beats[-1]["data"]["newest_scored"] == newest
    return f"{len(lab.recorder.beats)} heartbeats"
