"""53 to 60: subscribers that are late, slow, cut off, strange or hostile."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import zmq

from tests.faults.lab import Lab
from tests.faults.life import ROOT, environ, until
from tests.faults.recorder import everything
from tests.faults.registry import fault
from tests.faults.shell import sh


def asked(lab: Lab, request: object) -> dict[str, Any]:
    """Ask the replay as any program could, and return its answer."""
    text = request if isinstance(request, bytes) else json.dumps(request).encode()
    with zmq.Context() as context, context.socket(zmq.REQ) as socket_:
        socket_.linger = 0
        socket_.connect(lab.replay)
        socket_.send(text)
        assert socket_.poll(5_000), f"no answer to {request!r}"
        return dict(json.loads(socket_.recv()))


@contextmanager
def listening(
    lab: Lab, out: Path, *, prefix: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Give a `kilokai subscribe` that writes every event to a file, from the beginning."""
    with out.open("wb") as file, (lab.folder / "subscribe.log").open("ab") as log:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-P", "-m", "daemon.cli", "subscribe", "--json",
             "--since", "0", "--set", f"bus.publish={lab.publish}",
             "--set", f"bus.replay={lab.replay}"],
            cwd=ROOT, env={**environ(), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL, stdout=file, stderr=log,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(90)


def lines(out: Path) -> list[dict[str, Any]]:
    text = out.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def told(lab: Lab) -> list[dict[str, Any]]:
    """Return the events' revisions of the outbox."""
    return [m["data"] for m in lab.outbox() if m["type"].endswith(".event")]


@fault(
    53, "a subscriber that comes late",
    how="one that asks for all after everything was said, and one in the middle of it",
    wanted="every message once, in order, then live, without a gap",
)  # fmt: skip
def late(lab: Lab) -> str:
    lab.put(lab.files[:2])
    out = lab.folder / "late"
    with lab.life() as life:
        life.ready()
        lab.all_done()
        with listening(lab, out):
            lab.put(lab.files[2:])
            lab.all_done()
            until(lambda: len(lines(out)) >= len(told(lab)), "the late one has it all")
        assert lines(out) == told(lab)
    return f"{len(told(lab))} revisions"


@fault(
    54, "a subscriber that is stuck",
    how="SIGSTOP to one of two subscribers while all is said; then SIGCONT",
    wanted="the other and the daemon are not slowed; the stuck one then gets all",
)  # fmt: skip
def stuck(lab: Lab) -> str:
    out = lab.folder / "stuck"
    with lab.life() as life, listening(lab, out) as process:
        life.ready()
        lab.put(lab.files[:1])
        lab.all_done()
        until(lambda: len(lines(out)) >= len(told(lab)), "it listens")
        process.send_signal(signal.SIGSTOP)
        rss = life.status("VmRSS")
        lab.put(lab.files[1:])
        lab.all_done()
        newest = int(lab.meta()["sequence"])
        until(lambda: len(lab.recorder.handed) >= newest, "the other one has it all")
        more = life.status("VmRSS") - rss
        process.send_signal(signal.SIGCONT)
        until(lambda: len(lines(out)) >= len(told(lab)), "the stuck one has it all")
        assert lines(out) == told(lab)
    assert more < 200_000, more
    return f"{more / 1000:.0f} MB more memory meanwhile"


@fault(
    55, "the network is cut and healed",
    how=(
        "daemon and subscriber in a network namespace; nft drops all on lo for 8 s while "
        "events are said"
    ),
    wanted="afterwards the subscriber has every event once, in order",
    needs=("namespaces", "nft", "ip"), fast=False,
)  # fmt: skip
def partition(lab: Lab) -> str:
    name, out = f"kf{os.getpid()}", lab.folder / "cut"
    sh("ip", "netns", "add", name)
    lab.undo("ip", "netns", "del", name)
    inside = ("ip", "netns", "exec", name)
    sh(*inside, "ip", "link", "set", "lo", "up")
    rule = "{ type filter hook input priority 0; policy drop; }"
    with lab.life(prefix=inside), listening(lab, out, prefix=inside):
        lab.put(lab.files[:1])
        lab.all_done(deadline_s=60)
        until(lambda: told(lab) and len(lines(out)) >= len(told(lab)), "it listens")
        sh(*inside, "nft", f"add table inet cut; add chain inet cut arriving {rule}")
        lab.put(lab.files[1:])
        lab.all_done()
        before = len(lines(out))
        time.sleep(8)
        missed = len(told(lab)) - before
        sh(*inside, "nft", "flush", "ruleset")
        until(lambda: len(lines(out)) >= len(told(lab)), "it has it all", deadline_s=60)
        assert lines(out) == told(lab)
    assert missed > 0, "nothing was said while the network was cut"
    return f"{missed} revisions were missed, and came afterwards"


@fault(
    56, "the publisher is started again",
    how="SIGTERM, then SIGKILL, between files, with subscribers connected",
    wanted="the same epoch, numbers go on, subscribers miss nothing",
)  # fmt: skip
def restarted(lab: Lab) -> str:
    epochs = set()
    for k, (name, data) in enumerate(lab.files):
        with lab.life() as life:
            life.ready()
            lab.put([(name, data)])
            lab.all_done()
            epochs.add(lab.meta()["epoch"])
            _ = life.stop() if k % 2 else life.kill()
    assert len(epochs) == 1, epochs
    return f"{len(lab.files)} lives, one epoch"


@fault(
    59, "a port that is in use",
    how="another process holds bus.publish, bus.replay, metrics.listen in turn",
    wanted="exit code 1, so that systemd tries again, and a line of key, address and reason",
)  # fmt: skip
def port_in_use(lab: Lab) -> None:
    keys = {"bus.publish": lab.publish, "bus.replay": lab.replay, "metrics.listen": lab.metrics}
    for key, address in keys.items():
        with closing(socket.socket()) as holder:
            host, _, port = address.removeprefix("tcp://").rpartition(":")
            holder.bind((host, int(port)))
            holder.listen()
            assert lab.run() == 1
        said = lab.log.read_text().splitlines()[-1]
        assert f"{key}: found " in said, said
        assert "Address already in use" in said, said
    lab.put()


@fault(
    60, "numbers that are too old, of another epoch, of the future",
    how="requests to the replay; the oldest messages dropped from the outbox as retention does",
    wanted="too_old with the oldest, epoch_changed with the epoch; a subscriber goes on from there",
)  # fmt: skip
def too_old(lab: Lab) -> str:
    import sqlite3

    from daemon.ledger.database import LEDGER_FILE

    lab.put(lab.files[:3])
    assert lab.run() == 0
    with closing(sqlite3.connect(lab.store / LEDGER_FILE)) as database, database:
        database.execute("DELETE FROM outbox WHERE sequence <= 3")
    lab.fresh_recorder()
    with lab.life() as life:
        life.ready()
        newest, epoch = int(lab.meta()["sequence"]), lab.meta()["epoch"]
        old = asked(lab, {"epoch": epoch, "since": 1})
        assert (old["error"], old["oldest"]) == ("too_old", 4), old
        other = asked(lab, {"epoch": "another", "since": 1})
        assert (other["error"], other["epoch"]) == ("epoch_changed", epoch), other
        future = asked(lab, {"epoch": epoch, "since": newest + 1000})
        assert future.get("messages", []) == [], future
        first = everything(lab.publish, lab.replay, newest)[0]
        assert first["sequence"] == 4, first
        lab.put(lab.files[3:])
        lab.all_done()
    return f"the oldest was {old['oldest']}"
