"""57 and 58: who knocks at the ports and has no business there."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from contextlib import closing, suppress
from pathlib import Path

import zmq

from tests.faults.bus import asked
from tests.faults.lab import Lab
from tests.faults.registry import fault


def knock(address: str, what: bytes) -> None:
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    with suppress(OSError), closing(socket.create_connection((host, int(port)), 2)) as peer:
        peer.sendall(what)
        peer.settimeout(0.2)
        with suppress(OSError):
            peer.recv(100)


@fault(
    57, "garbage on the ports",
    how=(
        "HTTP, TLS, noise, 2 GB announced, half-open connections, 50,000 subscriptions, "
        "bad requests"
    ),
    wanted="it goes on; memory bounded; bad requests are answered as such",
)  # fmt: skip
def garbage(lab: Lab) -> str:
    noise = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        os.urandom(100_000),
        b"\xff\x00\x00\x00\x00\x80\x00\x00\x00\x7f",
        b"",
    ]
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
        with urllib.request.urlopen(f"http://{lab.metrics}/", timeout=60) as page:
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
    lab.command("keys", "server", "--keys", keys)
    for name in ("friend", "stranger"):
        lab.command("keys", "client", name, "--out", mine)
    lab.command("keys", "allow", "friend", mine / "friend.pub", "--keys", keys)
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
    from daemon.bus.keys import new_pair, read_public, read_secret

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
