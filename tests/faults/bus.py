"""53 to 60: subscribers that are late, slow, cut off, strange or hostile."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
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
            [*prefix, sys.executable, "-m", "daemon.cli", "subscribe", "--since", "0", "--json",
             "--set", f"bus.publish={lab.publish}", "--set", f"bus.replay={lab.replay}"],
            cwd=ROOT, env={**environ(), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL, stdout=file, stderr=log,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(10)


def lines(out: Path) -> list[dict[str, Any]]:
    text = out.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def told(lab: Lab) -> list[dict[str, Any]]:
    """Return the events' revisions of the outbox."""
    return [m["data"] for m in lab.outbox() if m["type"].endswith(".event")]


@fault(
    53, "a subscriber that comes late", how="one that asks for all after everything was said, and one in the middle of it",
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
    54, "a subscriber that is stuck", how="SIGSTOP to one of two subscribers while all is said; then SIGCONT",
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
        until(lambda: len(lab.recorder.handed) >= newest, "the other one has it all", deadline_s=5)
        more = life.status("VmRSS") - rss
        process.send_signal(signal.SIGCONT)
        until(lambda: len(lines(out)) >= len(told(lab)), "the stuck one has it all")
        assert lines(out) == told(lab)
    assert more < 200_000, more
    return f"{more / 1000:.0f} MB more memory meanwhile"


@fault(
    55, "the network is cut and healed", how="daemon and subscriber in a network namespace; nft drops all on lo for 8 s while events are said",
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
    56, "the publisher is started again", how="SIGTERM, then SIGKILL, between files, with subscribers connected",
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


def knock(address: str, what: bytes) -> None:
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    with suppress(OSError), closing(socket.create_connection((host, int(port)), 2)) as peer:
        peer.sendall(what)
        peer.settimeout(0.2)
        with suppress(OSError):
            peer.recv(100)


@fault(
    57, "garbage on the ports", how="HTTP, TLS, noise, 2 GB announced, half-open connections, 50,000 subscriptions, bad requests",
    wanted="it goes on; memory bounded; bad requests are answered as such",
)  # fmt: skip
def garbage(lab: Lab) -> str:
    noise = [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", os.urandom(100_000),
             b"\xff\x00\x00\x00\x00\x80\x00\x00\x00\x7f", b""]  # fmt: skip
    with lab.life() as life:
        rss = life.ready().status("VmRSS")
        lab.put(lab.files[:2])
        with zmq.Context() as context, context.socket(zmq.SUB) as many:
            many.linger = 0
            many.connect(lab.publish)
            for k in range(50_000):
                many.subscribe(f"{k}".encode())
            for address in (lab.publish, lab.replay, lab.metrics):
                for what in noise:
                    knock(address, what)
            for request in (
                b"",
                b"\xff",
                b"[" * 900,
                {"since": -1},
                {"epoch": 7},
                {"since": 1e300},
            ):
                assert asked(lab, request)["error"] == "bad_request"
            lab.put(lab.files[2:])
            lab.all_done()
        more = life.status("VmRSS") - rss
        with urllib.request.urlopen(f"http://{lab.metrics}/", timeout=5) as page:
            assert page.status == 200
    assert more < 300_000, more
    return f"{more / 1000:.0f} MB more memory"


@fault(
    58, "a stranger's key, a wrong server key, plain text",
    how="CURVE with one allowed client; three others try for a second, beside it",
    wanted="only the allowed one hears anything; the others are counted and logged",
)  # fmt: skip
def strangers(lab: Lab) -> str:
    keys, mine = lab.folder / "keys", lab.folder / "mine"
    mine.mkdir()
    kilokai = [sys.executable, "-m", "daemon.cli", "keys"]
    sh(*kilokai, "server", "--keys", keys)
    for name in ("friend", "stranger"):
        sh(*kilokai, "client", name, "--out", mine)
    sh(*kilokai, "allow", "friend", mine / "friend.pub", "--keys", keys)
    for secret in (keys / "server.secret", mine / "friend.secret"):
        assert secret.stat().st_mode & 0o777 == 0o600, oct(secret.stat().st_mode)
    lab.guard(keys, mine / "friend.secret")
    with lab.life() as life:
        life.ready()
        lab.put()
        heard = _strangers_hear(lab, keys, mine)
        lab.all_done()
        page = life.page()
    assert heard == [], heard
    refused = [line for line in page.splitlines() if line.startswith("kilokai_bus_refused_total")]
    counts = {line.split('"')[1]: float(line.split()[-1]) for line in refused}
    assert counts["unknown_key"] >= 1, counts
    assert sum(counts.values()) >= 3, counts
    assert "unknown_key" in lab.log.read_text() or "refused" in lab.log.read_text()
    return ", ".join(f"{reason} {count:g}" for reason, count in counts.items() if count)


def _strangers_hear(lab: Lab, keys: Path, mine: Path) -> list[bytes]:
    """Return what three strangers are given within a second and a half."""
    from daemon.keys import new_pair, read_public, read_secret

    server, other = read_public(keys / "server.pub"), new_pair()
    stranger, friend = read_secret(mine / "stranger.secret"), read_secret(mine / "friend.secret")
    tries = ((server, stranger), (other.public, friend), None)
    heard = []
    with zmq.Context() as context:
        sockets = [context.socket(zmq.SUB) for _ in tries]
        for each, curve in zip(sockets, tries, strict=True):
            each.linger = 0
            if curve:
                each.curve_serverkey = curve[0].encode()
                each.curve_publickey, each.curve_secretkey = (
                    curve[1].public.encode(), curve[1].secret.encode(),
                )  # fmt: skip
            each.subscribe(b"")
            each.connect(lab.publish)
        end_s = time.monotonic() + 1.5
        while time.monotonic() < end_s:
            heard += [each.recv() for each in sockets if each.poll(50)]
        for each in sockets:
            each.close()
    return heard


@fault(
    59, "a port that is in use", how="another process holds bus.publish, bus.replay, metrics.listen in turn",
    wanted="exit code 78 and a line that names key, address and reason; then it starts",
)  # fmt: skip
def port_in_use(lab: Lab) -> None:
    keys = {"bus.publish": lab.publish, "bus.replay": lab.replay, "metrics.listen": lab.metrics}
    for key, address in keys.items():
        with closing(socket.socket()) as holder:
            host, _, port = address.removeprefix("tcp://").rpartition(":")
            holder.bind((host, int(port)))
            holder.listen()
            assert lab.run() == 78
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

    from daemon.database import LEDGER_FILE

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
