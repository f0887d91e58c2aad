"""61 to 66: signals, hangs, no memory, bad models, logs that nobody takes; and a soak."""

from __future__ import annotations

import json
import resource
import signal
import socket
import statistics
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Final

from acoio.filename import FileName
from detector.files import PRETRAINED
from tests.faults.lab import Lab, pieces
from tests.faults.life import ROOT, until
from tests.faults.registry import fault

_MODEL: Final = ROOT / "detector" / "pretrained" / PRETRAINED
_POISONED: Final = "2024-03-01--05.00.HYD24BBpk"


@fault(
    61, "SIGTERM, once and twice, in the middle of a file",
    how="SIGTERM 0.1 s into the work; then twice at once; then SIGINT",
    wanted="exit code 0 within 5 s, nothing half done",
)  # fmt: skip
def terminated(lab: Lab) -> str:
    spent = []
    lab.put()
    for numbers in ((signal.SIGTERM,), (signal.SIGTERM, signal.SIGTERM), (signal.SIGINT,)):
        with lab.life() as life:
            life.ready()
            time.sleep(0.1)
            begin_s = time.monotonic()
            for number in numbers:
                life.signal(number)
            assert life.wait() == 0
            spent.append(time.monotonic() - begin_s)
    return f"{max(spent):.1f} s at most"


@fault(
    61, "SIGHUP, and a configuration that is wrong",
    how="SIGHUP in the middle of a file; then a start with four faults in kilokai.toml",
    wanted="nothing lost; exit code 78 with all four, nothing touched",
)  # fmt: skip
def hung_up(lab: Lab) -> str:
    lab.put()
    with lab.life() as life:
        life.ready()
        life.signal(signal.SIGHUP)
        time.sleep(0.3)
    wrong = ("drop.settle_s=-1", "bus.heartbeat_s='x'", "station.name=A B", "no.such=1")
    assert lab.run(*[word for text in wrong for word in ("--set", text)]) == 78
    said = [line for line in lab.log.read_text().splitlines() if ": found " in line]
    assert len(said) >= 4, said
    return f"{len(said)} faults told at once"


def through_crashes(lab: Lab, once: Callable[[], int], most: int = 8) -> int:
    """Start it again, as systemd would, until it is done; return how many lives it took."""
    for life in range(1, most + 1):
        code, rows = once(), lab.rows()
        aside = all(name in rows and rows[name]["state"] == "set_aside" for name in lab.aside)
        if aside and code == bool(lab.aside):
            return life
    raise AssertionError(
        f"it ended {most} times without getting done: {lab.log.read_text()[-500:]}"
    )


@fault(
    62, "it hangs",
    how=(
        "scoring sleeps for ever at one file; the test stands in for systemd: SIGABRT "
        "when the watchdog is not fed for 1 s"
    ),
    wanted="the watchdog is not fed; after some such lives the file is set aside",
)  # fmt: skip
def hangs(lab: Lab) -> str:
    return _hung(lab, "hang")


def _hung(lab: Lab, hook: str) -> str:
    lab.put([(_POISONED, lab.files[0][1])])
    lab.aside = {_POISONED: ""}
    lab.sound = None  # the file that hangs is as long as any
    lab.put()
    address = lab.folder / "notify"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(str(address))
        watched = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "400000"}

        def once() -> int:
            with lab.life("--until-idle", hook=f"{hook}:{_POISONED}", environ=watched) as life:
                systemd.settimeout(60.0)
                until(lambda: systemd.recv(1000).startswith(b"READY"), "it is ready")
                systemd.settimeout(1.0)
                while not life.ended():
                    try:
                        systemd.recv(1000)
                    except TimeoutError:
                        life.signal(signal.SIGABRT)
                        life.wait()
                return life.wait()

        lives = through_crashes(lab, once)
    return f"{lives} lives; {lab.rows()[_POISONED]['reason']}"


@fault(
    33,
    "a file that keeps the decoder for ever",
    how="decoding sleeps for an hour at one file; systemd stood in for as in 62",
    wanted="after bounded tries it is set aside, and the others are scored",
    fast=False,
)
def endless(lab: Lab) -> str:
    return _hung(lab, "loop")


@fault(
    63, "no memory",
    how=(
        "torch's allocation error at one file, each time; then the limit RLIMIT_DATA on "
        "a running daemon"
    ),
    wanted="as any poison: set aside after bounded tries; a good file is never blamed for good",
)  # fmt: skip
def no_memory(lab: Lab) -> str:
    lab.put([(_POISONED, lab.files[0][1][:100_000])])
    lab.aside = {_POISONED: ""}
    lab.may_crash = True
    lives = through_crashes(lab, lambda: lab.run(hook=f"memory:{_POISONED}"))
    with lab.life() as life:
        life.ready()
        lab.put(lab.files[:2])
        data_kb = life.status("VmData")
        resource.prlimit(life.pid, resource.RLIMIT_DATA, ((data_kb + 500) << 10, -1))
        lab.put(lab.files[2:])
        time.sleep(1.5)
        ended = life.ended()
    return f"{lives} lives; under the limit it {'ended' if ended else 'lived'}"


@fault(
    64, "a model that is not what its card says",
    how="missing; cut short; one bit flipped; another card; NaN weights; a pickle; another format",
    wanted="refused with exit code 78 and the reason, before anything is touched",
)  # fmt: skip
def bad_models(lab: Lab) -> str:
    tensors = (_MODEL / "model.safetensors").read_bytes()
    card = json.loads((_MODEL / "card.json").read_text())
    flipped = bytearray(tensors)
    flipped[len(tensors) // 2] ^= 1
    nans = tensors[:-4] + b"\x00\x00\xc0\x7f"
    kinds: dict[str, tuple[bytes | None, object]] = {
        "missing": (None, None),
        "cut short": (tensors[:-1000], card),
        "a flipped bit": (bytes(flipped), card),
        "NaN weights": (nans, card),
        "another card": (tensors, {**card, "context_s": 1.0}),
        "a pickle": (b"\x80\x04cos\nsystem\n(X\x02\x00\x00\x00idtR.", card),
        "another format": (tensors, {**card, "format": 99}),
        "no card": (tensors, None),
    }
    lab.put()
    for kind, (data, told) in kinds.items():
        folder = lab.folder / kind.replace(" ", "-")
        folder.mkdir()
        if data is not None:
            (folder / "model.safetensors").write_bytes(data)
        if told is not None:
            (folder / "card.json").write_text(json.dumps(told))
        assert lab.run("--set", f"detector.model={folder}", hook="model") == 78, kind
        assert not lab.store.exists(), kind
    return f"{len(kinds)} kinds"


@fault(
    66, "logs that nobody takes, scrapes without end",
    how="standard error on /dev/full, on a full tmpfs, closed; 30 half-open scrapes",
    wanted="the pipeline goes on; a scrape is answered",
)  # fmt: skip
def no_log(lab: Lab) -> str:
    lab.put(lab.files[:1])
    with lab.life("--until-idle", log=Path("/dev/full")) as life:
        assert life.wait() == 0
    lab.put(lab.files[1:2])
    with lab.life("--until-idle", hook="closed") as life:
        assert life.wait() == 0
    with lab.life(log=Path("/dev/full")) as life, ExitStack() as stack:
        life.ready()
        host, _, port = lab.metrics.rpartition(":")
        for _ in range(30):
            stack.enter_context(closing(socket.create_connection((host, int(port)), 2)))
        lab.put(lab.files[2:])
        lab.all_done()
        begin_s = time.monotonic()
        with urllib.request.urlopen(f"http://{lab.metrics}/metrics", timeout=60) as page:
            assert b"kilokai_" in page.read()
        spent_s = time.monotonic() - begin_s
    return f"a scrape in {spent_s:.2f} s beside 30 that never ask"


@fault(
    66, "a long time of files (I8)",
    how="the sea 12 times over, 96 files, memory, threads and handles after each round",
    wanted="the slopes are nothing", fast=False,
)  # fmt: skip
def soak(lab: Lab) -> str:
    rounds, each = 12, pieces(lab.sea, 8, minutes=1)
    seen = []
    with lab.life() as life:
        life.ready()
        for k in range(rounds):
            files = [
                (str(FileName(lab.sea.begin + timedelta(hours=k, minutes=n))), _later(data, k))
                for n, (_, data) in enumerate(each)
            ]
            lab.put(files)
            lab.all_done()
            life.page()
            seen.append((life.status("VmRSS"), life.status("Threads"), life.handles()))
    lab.sound = None
    memory, threads, handles = (
        statistics.linear_regression(range(4, rounds), x[4:]).slope for x in zip(*seen, strict=True)
    )
    assert memory < 1_500, f"{memory:.0f} kB more memory a round"
    assert abs(threads) < 0.2, threads
    assert abs(handles) < 0.5, handles
    return (
        f"{memory:.0f} kB, {threads:.2f} threads, {handles:.2f} handles more a round of 5 minutes"
    )


def _later(data: bytes, hours: int) -> bytes:
    """Return a file with its records' times some hours later."""
    from tests.daemon.sea import records_of
    from tests.faults.odd import remade, time_of

    return b"".join(remade(r, tSec=time_of(r) + 3600 * hours) for r in records_of(data))
