"""57, again: peers that end libzmq, of which the daemon hears nothing."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import zmq

from tests.daemon.bus.attack import ASKING, LISTENING, reset_round
from tests.faults.drop_changes import meanwhile
from tests.faults.lab import Lab
from tests.faults.life import Life, until
from tests.faults.recorder import encrypt
from tests.faults.registry import fault

_ENDS = 4
_HALF = b"\xff" + bytes(8) + b"\x7f\x03"  # of a greeting


def _heard_meanwhile(lab: Lab, life: Life, round_: Callable[[], None]) -> str:
    """Deliver sound while a peer does its worst; see that it was one daemon that heard it."""
    pid = life.pid
    with meanwhile(round_):
        for file in lab.files:
            lab.put([file])
            lab.all_done()
        until(lambda: _ends(life) >= _ENDS, "the bus ended some times")
    assert life.pid == pid and not life.ended()
    aside = [name for name, row in lab.rows().items() if row["state"] != "done"]
    assert not aside, aside
    return f"{_ends(life):.0f} ends of the bus, none of the daemon"


def _ends(life: Life) -> float:
    return life.metric("kilokai_bus_restarts_total")


@fault(
    57, "a peer that ends libzmq, by requests and by subscriptions",
    how="40 requests and PINGs at a time, or subscriptions, then a reset, while files come; beside "
    "500 connections that send half a greeting and stay",
    wanted="the process of the bus ends and is started again; the daemon hears on, no file is "
    "suspected, no message lost",
)  # fmt: skip
def resets(lab: Lab) -> str:
    def attack() -> None:
        reset_round(lab.replay, ASKING)
        reset_round(lab.publish, LISTENING)

    with lab.life() as life, ExitStack() as stack:
        life.ready()
        for k in range(500):
            host, _, port = (lab.publish, lab.replay)[k % 2].removeprefix("tcp://").rpartition(":")
            with suppress(OSError):
                peer = stack.enter_context(socket.create_connection((host, int(port)), 5))
                peer.sendall(_HALF)
        return _heard_meanwhile(lab, life, attack)


@fault(
    57, "the bus killed again and again", how="SIGKILL to the process of the bus while files come",
    wanted="as above",
)  # fmt: skip
def killed_bus(lab: Lab) -> str:
    with lab.life() as life:
        life.ready()

        def attack() -> None:
            for child in Path(f"/proc/{life.pid}/task/{life.pid}/children").read_text().split():
                with suppress(OSError):
                    if b"daemon.bus.server" in Path(f"/proc/{child}/cmdline").read_bytes():
                        os.kill(int(child), signal.SIGKILL)
            threading.Event().wait(1.0)

        return _heard_meanwhile(lab, life, attack)


@fault(
    57, "an allowed client that floods and hangs up",
    how="CURVE; an allowed client asks 2,000 times with PINGs, reads nothing and closes, 40 times",
    wanted="the daemon hears on, whatever becomes of the bus", fast=False,
)  # fmt: skip
def flood(lab: Lab) -> str:
    keys, mine = lab.folder / "keys", lab.folder / "mine"
    mine.mkdir()
    lab.command("keys", "server", "--keys", keys)
    lab.command("keys", "client", "friend", "--out", mine)
    lab.command("keys", "allow", "friend", mine / "friend.pub", "--keys", keys)
    lab.guard(keys, mine / "friend.secret")
    with lab.life() as life, zmq.Context() as context:
        life.ready()
        for k in range(40):
            with context.socket(zmq.DEALER) as asker:
                asker.linger, asker.sndhwm, asker.heartbeat_ivl = 0, 0, 1
                encrypt(asker, server_key=keys / "server.pub", keys=mine / "friend.secret")
                asker.connect(lab.replay)
                for _ in range(2000):
                    asker.send(b'{"since": 0}')
                threading.Event().wait(0.1)
            if k % 10 == 0:
                lab.put([lab.files[k // 10]])
        lab.all_done()
        assert not life.ended()
        return f"{_ends(life):.0f} ends of the bus, none of the daemon"
