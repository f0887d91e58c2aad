"""What an operator does to a station over the years."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.station.bench import CONFIG, DROP, KILOKAI, RELEASES, STORE, UNIT, WORKS_S, Bench, Fact
from tests.station.machine import until

_OUTCOMES: Final = ("accepted", "refused", "too_little", "out_of_season")


def retrains(bench: Bench) -> None:
    timers = bench.systemctl("list-timers", "--all")
    line = next(line for line in timers.splitlines() if "kilokai-retrain.timer" in line)
    assert not line.startswith(("n/a", "-")), line
    bench.note("retraining is next due", " ".join(line.split()[:4]))
    if "retrain" not in bench.machine.run(KILOKAI, "--help"):
        bench.note("retraining", "SKIPPED: this release has no such command")
        return
    bench.systemctl("start", "kilokai-retrain.service", check=False)
    said = bench.machine.run("cat", STORE / "retrain.json")
    assert json.loads(said)["outcome"] in _OUTCOMES, said
    bench.note("retraining by its unit", str(json.loads(said)["outcome"]))


def restored(bench: Bench) -> None:
    """As docs/operator.md tells: the store of an earlier day goes on, in a new epoch."""
    run, copy = bench.machine.run, ("cp", "-a", f"{STORE}/.")
    bench.systemctl("stop", UNIT)
    run("mkdir", "/backup")
    run(*copy, "/backup")
    bench.systemctl("start", UNIT)
    epoch = bench.status()["ledger"]["epoch"]
    bench.deliver()
    bench.wait_done()
    bench.systemctl("stop", UNIT)
    run("sh", "-c", f"rm -r {STORE}/*")
    run("cp", "-a", "/backup/.", STORE)
    bench.systemctl("start", UNIT)
    bench.wait_done()
    found = bench.status()["ledger"]
    assert found["epoch"] != epoch
    assert "was restored" in found["because"]
    bench.note("backup restored", "new epoch; what came after it is scored again")


def elsewhere(bench: Bench) -> None:
    """As docs/operator.md tells: a drop in a home, a store on another disk, another day."""
    run, root = bench.machine.run, bench.machine.root
    run("install", "-d", "-o", "kilokai", "-g", "kilokai", "/data/kilokai")
    run("install", "-d", "/home/recorder/incoming")
    run("sh", "-c", f"install -m 0644 {DROP}/* /home/recorder/incoming")
    where = "BindReadOnlyPaths=/home/recorder/incoming:/srv/shown\nReadWritePaths=/data/kilokai\n"
    bench.drop_in(f"[Service]\n{where}")
    toml = root / "etc/kilokai/kilokai.toml"
    toml.write_text(CONFIG.replace(str(DROP), "/srv/shown") + '[store]\npath = "/data/kilokai"\n')
    bench.systemctl("restart", UNIT)
    until(lambda: bench.status(Path("/data/kilokai"))["files"]["done"] == bench.delivered,
          seconds=WORKS_S, what="all scored from there")  # fmt: skip
    bench.drop_in("")
    toml.write_text(CONFIG)
    bench.systemctl("restart", UNIT)
    bench.note("a drop in a home, shown elsewhere; a store elsewhere", "scored")


def asked(bench: Bench) -> None:
    """What asks the daemon for something is done by its user, and by root."""
    event = bench.status()["events"]["last"][0]["id"]
    review = [KILOKAI, "events", "review", event, "--confirmed", "--store", STORE]
    for who in ("kilokai", "root"):
        said = bench.machine.run("runuser", "-u", who, "--", *review, "--who", who)
        assert said.endswith("kept and told\n"), said
    bench.note("asked by its user and by root", "done")


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


UPKEEP: Final[Sequence[Fact]] = (
    retrains,
    restored,
    elsewhere,
    asked,
    rolled_back,
    reboots,
    disabled,
    uninstalled,
)
