"""What must be true of a station under systemd: each is done for real, in this order."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Final

from tests.station.bench import CONFIG, DROP, KILOKAI, STORE, UNIT, WORKS_S, Bench
from tests.station.machine import until

RELEASES: Final = ("0.1.0-one", "0.1.0-two")
EXPOSURE: Final = 1.5
_QUICK: Final = "[Service]\nWatchdogSec=20s\nRestartSec=1s\n"
_STOPS_S: Final = 10.0
_OUTCOMES: Final = ("accepted", "refused", "too_little")


def installed_twice(bench: Bench) -> None:
    for release in RELEASES:
        bench.script("use", release)
    bench.script("files")
    toml = bench.machine.root / "etc/kilokai/kilokai.toml"
    toml.write_text(toml.read_text() + "# the operator was here\n")
    bench.script("files")
    assert toml.read_text().endswith("# the operator was here\n")
    toml.write_text(CONFIG)
    bench.machine.run("id", "kilokai")
    bench.note("installed", "twice; user made; configuration left as it was")


def keys_made(bench: Bench) -> None:
    run, conf = bench.machine.run, "/etc/kilokai"
    run(KILOKAI, "keys", "server", "--keys", f"{conf}/keys")
    run("mv", f"{conf}/keys/server.secret", f"{conf}/credentials/server.secret")
    run(KILOKAI, "keys", "client", "ham", "--out", "/root")
    run(KILOKAI, "keys", "allow", "ham", "/root/ham.pub", "--keys", f"{conf}/keys")


def drop_given(bench: Bench) -> None:
    run = bench.machine.run
    run("groupadd", "--system", "hydrophone")
    run("usermod", "--append", "--groups", "hydrophone", "kilokai")
    run("install", "-d", "-m", "0750", "-g", "hydrophone", DROP)


def ready(bench: Bench) -> None:
    begun_s = time.monotonic()
    bench.systemctl("enable", "--now", "kilokai.target")
    bench.systemctl("start", UNIT)
    took_s = time.monotonic() - begun_s
    assert bench.shown("ActiveState", "StatusText")["ActiveState"] == "active"
    bench.note("enabled and started, until READY=1", f"{took_s:.1f} s")


def exposure(bench: Bench) -> None:
    for unit in (UNIT, "kilokai-retrain.service"):
        said = bench.machine.run("systemd-analyze", "security", "--no-pager", unit)
        found = re.search(r"exposure level for .*: ([0-9.]+) ", said)
        assert found, said[-200:]
        assert float(found[1]) <= EXPOSURE
        bench.note(f"exposure of {unit}, live", found[1])


def scores(bench: Bench) -> None:
    bench.deliver(3)
    took_s = bench.wait_done()
    found = bench.status()
    assert found["well"], found["complaints"]
    until(lambda: "scored up to" in bench.shown("StatusText")["StatusText"],
          seconds=10, what="status line")  # fmt: skip
    bench.note("six minutes of sound scored in", f"{took_s:.1f} s")
    bench.note("systemctl status says", bench.shown("StatusText")["StatusText"])


def same_scores_outside(bench: Bench) -> None:
    """By the same release as root with none of the unit's limits, to the last bit."""
    free = STORE.parent / "free"
    bench.machine.run(
        KILOKAI, "run", "--until-idle", "--set", f"drop.path={DROP}", "--set", f"store.path={free}",
        "--set", "drop.settle_s=0.5", "--set", "bus.publish=tcp://127.0.0.1:0",
        "--set", "bus.replay=tcp://127.0.0.1:0", "--set", "metrics.listen=127.0.0.1:0",
    )  # fmt: skip
    inside, outside = bench.scores(), bench.scores(free)
    assert len(inside) > 200
    assert inside == outside
    bench.note("scores within the limits and without", f"{len(inside)} equal to the last bit")


def drop_unwritable(bench: Bench) -> None:
    pid = bench.pid()
    touch = ["nsenter", "--target", pid, "--mount", "touch"]
    for place in (DROP / "x", "/etc/x", "/opt/kilokai/x", "/usr/x"):
        said = bench.machine.run(*touch, place, check=False)
        assert said == ""
        tried = bench.machine.start(*touch, place)
        _, error = tried.communicate(timeout=20)
        assert "Read-only file system" in error, f"{place}: {error}"
    bench.note("drop, /etc, /usr, /opt seen by the service", "read-only, to root as well")


def clients(bench: Bench) -> None:
    """A client with its key hears all since the beginning; one without hears nothing."""
    listen = [KILOKAI, "subscribe", "--json", "--since", "0", "--publish", "tcp://127.0.0.1:5556",
              "--replay", "tcp://127.0.0.1:5557", "--server-key",
              "/etc/kilokai/keys/server.pub"]  # fmt: skip
    bench.machine.run(KILOKAI, "keys", "client", "eve", "--out", "/root")
    heard = {}
    for name in ("ham", "eve"):
        process = bench.machine.start("timeout", "8", *listen, "--keys", f"/root/{name}.secret")
        heard[name] = process.communicate(timeout=30)[0]
    assert json.loads(heard["ham"].splitlines()[0])["status"] in ("open", "closed")
    assert heard["eve"] == ""
    bench.note("client with a key; with one that is not allowed", "heard events; heard nothing")


def killed(bench: Bench) -> None:
    before = bench.restarts()
    bench.drop_in(_QUICK)
    bench.systemctl("restart", UNIT)
    bench.machine.run("kill", "-9", bench.pid())
    took_s = bench.wait_restarted(before + 1)
    bench.deliver()
    bench.wait_done()
    bench.note("kill −9 until ready again (1 s of pause)", f"{took_s:.1f} s; went on")


def stopped_dead(bench: Bench) -> None:
    before = bench.restarts()
    bench.machine.run("kill", "-STOP", bench.pid())
    took_s = bench.wait_restarted(before + 1)
    assert any("Watchdog timeout" in line for line in bench.journal())
    bench.deliver()
    bench.wait_done()
    bench.note("SIGSTOP until ready again (watchdog of 20 s)", f"{took_s:.1f} s; went on")


def work_hangs_while_the_loop_turns(bench: Bench) -> None:
    """Another process holds the ledger: heartbeats and answers go on, and no sound is scored."""
    before = bench.restarts()
    ledger = bench.machine.root / STORE.relative_to("/") / "ledger.sqlite3"
    holder = sqlite3.connect(ledger, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    bench.deliver()
    until(lambda: "TROUBLE" in bench.shown("StatusText")["StatusText"],
          seconds=WORKS_S, what="trouble in the status line")  # fmt: skip
    line, written = bench.shown("StatusText")["StatusText"], bench.status()["daemon"]["written"]
    until(lambda: bench.status()["daemon"]["written"] > written, seconds=20, what="loop turns")
    assert bench.restarts() == before
    begun_s = time.monotonic()
    until(lambda: bench.restarts() > before or bench.shown("Result")["Result"] == "watchdog",
          seconds=WORKS_S, what="watchdog")  # fmt: skip
    took_s = time.monotonic() - begun_s
    holder.execute("ROLLBACK")
    holder.close()
    bench.wait_done()
    bench.note("work that hangs while the loop turns", f"killed after {took_s:.1f} s more; went on")
    bench.note("and said before", line)


def quiet_is_life(bench: Bench) -> None:
    """Nothing arrives for longer than the watchdog's time: that is no reason to be killed."""
    before, pid = bench.restarts(), bench.pid()
    end_s = time.monotonic() + 25
    until(lambda: time.monotonic() >= end_s, seconds=40, what="25 s")
    assert (bench.restarts(), bench.pid()) == (before, pid)
    bench.note("25 s without sound (watchdog of 20 s)", "left alone")


def drop_away(bench: Bench) -> None:
    """The folder is gone for longer than the watchdog's time, and another one is mounted there."""
    pid = bench.pid()
    bench.machine.run("mv", DROP, f"{DROP}-away")
    until(lambda: "TROUBLE" in bench.shown("StatusText")["StatusText"],
          seconds=40, what="trouble in the status line")  # fmt: skip
    end_s = time.monotonic() + 25
    until(lambda: time.monotonic() >= end_s, seconds=40, what="25 s")
    bench.machine.run("mv", f"{DROP}-away", DROP)
    bench.deliver()
    bench.wait_done()
    assert bench.pid() == pid
    bench.note("25 s without the drop (watchdog of 20 s)", "waited for; went on")


def journal_readable(bench: Bench) -> None:
    lines = [line for line in bench.journal() if line.startswith("{")]
    events = [json.loads(line)["event"] for line in lines]
    assert {"ready", "file done", "stopping"} <= set(events), set(events)
    dumped = [line for line in bench.journal() if "Fatal Python error: Aborted" in line]
    assert dumped, "no word of where it hung"
    bench.note("journal", f"{len(lines)} lines, each JSON with its event; where it hung is told")


def wrong_setup_stays_down(bench: Bench) -> None:
    toml, before = bench.machine.root / "etc/kilokai/kilokai.toml", bench.restarts()
    toml.write_text(CONFIG + 'nonsense = "yes"\n')
    bench.systemctl("restart", UNIT, check=False)
    found = bench.shown("ActiveState", "SubState", "ExecMainStatus")
    assert found == {"ActiveState": "failed", "SubState": "failed", "ExecMainStatus": "78"}, found
    assert bench.restarts() <= before
    assert any("bus.nonsense" in line for line in bench.journal())
    toml.write_text(CONFIG)
    bench.systemctl("start", UNIT)
    bench.note("wrong configuration", "exit code 78, stays down, the journal names the key")


def stopped(bench: Bench) -> None:
    begun_s = time.monotonic()
    bench.systemctl("stop", UNIT)
    took_s = time.monotonic() - begun_s
    found = bench.shown("Result", "ExecMainStatus", "ActiveState")
    assert found == {"Result": "success", "ExecMainStatus": "0", "ActiveState": "inactive"}, found
    assert took_s < _STOPS_S
    bench.systemctl("start", UNIT)
    bench.note("stop", f"{took_s:.1f} s, exit code 0")


def retrains(bench: Bench) -> None:
    timers = bench.systemctl("list-timers", "--all")
    line = next(line for line in timers.splitlines() if "kilokai-retrain.timer" in line)
    assert not line.startswith(("n/a", "-")), line
    bench.note("retraining is next due", " ".join(line.split()[:4]))
    if "retrain" not in bench.machine.run(KILOKAI, "--help"):
        bench.note("retraining", "SKIPPED: this release has no such command")
        return
    bench.systemctl("start", "kilokai-retrain.service")
    said = bench.machine.run("cat", STORE / "retrain.json")
    assert json.loads(said)["outcome"] in _OUTCOMES, said
    bench.note("retraining by its unit", str(json.loads(said)["outcome"]))


def rolled_back(bench: Bench) -> None:
    """Another release is taken with a restart, and the ledger goes on."""
    one, two = RELEASES
    for release in (one, two):
        bench.script("use", release)
        bench.systemctl("restart", UNIT)
        said = bench.machine.run("readlink", "-f", f"/proc/{bench.pid()}/exe", check=False)
        line = bench.machine.run("cat", f"/proc/{bench.pid()}/cmdline").split("\0")
        assert f"/opt/kilokai/{release}/bin/python" == line[0], (line, said)
    bench.deliver()
    bench.wait_done()
    bench.note("other release and back", "a switch and a restart each; went on")


def reboots(bench: Bench) -> None:
    took_s = bench.machine.reboot()
    until(lambda: bench.shown("SubState")["SubState"] == "running", seconds=WORKS_S, what="up")
    assert bench.systemctl("is-active", "kilokai-retrain.timer").strip() == "active"
    bench.deliver()
    bench.wait_done()
    bench.note("reboot, until booted", f"{took_s:.1f} s; up by itself, went on")


def disabled(bench: Bench) -> None:
    bench.systemctl("disable", "--now", "kilokai.target")
    units = ("kilokai.target", UNIT, "kilokai-retrain.timer")
    for unit in units:
        assert bench.systemctl("is-enabled", unit, check=False).strip() == "disabled"
    until(lambda: {_state(bench, unit) for unit in units} == {"inactive"},
          seconds=30, what="all inactive")  # fmt: skip
    bench.systemctl("enable", "--now", "kilokai.target")
    until(lambda: bench.shown("SubState")["SubState"] == "running", seconds=WORKS_S, what="up")
    bench.note("disabled and enabled by the target", "daemon and timer with it")


def _state(bench: Bench, unit: str) -> str:
    return bench.shown("ActiveState", unit=unit)["ActiveState"]


def uninstalled(bench: Bench) -> None:
    bench.script("uninstall")
    root = bench.machine.root
    assert not (root / "opt/kilokai").exists()
    assert bench.shown("LoadState")["LoadState"] == "not-found"
    assert (root / "var/lib/kilokai/ledger.sqlite3").exists()
    assert (root / "etc/kilokai/kilokai.toml").read_text() == CONFIG
    bench.script("uninstall", PURGE="1")
    assert not (root / "var/lib/kilokai").exists()
    assert not (root / "etc/kilokai").exists()
    bench.note("uninstalled", "store and keys stayed until PURGE=1")


FACTS: Final[Sequence[Callable[[Bench], None]]] = (
    installed_twice, keys_made, drop_given, ready, exposure, scores, same_scores_outside,
    drop_unwritable, clients, killed, stopped_dead, work_hangs_while_the_loop_turns, quiet_is_life,
    drop_away, journal_readable, wrong_setup_stays_down, stopped, retrains, rolled_back, reboots,
    disabled, uninstalled,
)  # fmt: skip
