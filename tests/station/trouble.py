"""What happens to stations, and what systemd and the daemon make of it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from typing import Final

from tests.station.bench import CONFIG, DROP, STORE, UNIT, WORKS_S, Bench, Fact
from tests.station.machine import until

_QUICK: Final = "[Service]\nWatchdogSec=20s\nRestartSec=1s\n"
_STOPS_S: Final = 10.0


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
    begun_s = time.monotonic()
    until(lambda: "TROUBLE" in bench.shown("StatusText")["StatusText"],
          seconds=WORKS_S, what="trouble in the status line")  # fmt: skip
    line, written = bench.shown("StatusText")["StatusText"], bench.status()["daemon"]["written"]
    until(lambda: bench.status()["daemon"]["written"] > written, seconds=20, what="loop turns")
    assert bench.restarts() == before
    until(lambda: bench.restarts() > before or bench.shown("Result")["Result"] == "watchdog",
          seconds=WORKS_S, what="watchdog")  # fmt: skip
    took_s = time.monotonic() - begun_s
    holder.execute("ROLLBACK")
    holder.close()
    bench.wait_done()
    bench.note("work that hangs while the loop turns", f"killed after {took_s:.1f} s; went on")
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


TROUBLE: Final[Sequence[Fact]] = (
    killed,
    stopped_dead,
    work_hangs_while_the_loop_turns,
    quiet_is_life,
    drop_away,
    journal_readable,
    wrong_setup_stays_down,
    stopped,
)
