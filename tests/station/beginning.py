"""A station is installed, started, and scores what arrives."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from tests.station.bench import CONFIG, DROP, KILOKAI, RELEASES, STORE, UNIT, Bench, Fact
from tests.station.machine import until

EXPOSURE: Final = 1.5


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


def reloaded(bench: Bench) -> None:
    pid = bench.pid()
    for text in (CONFIG + "[alerts]\nmost_per_hour = 7\n", CONFIG):
        assert _reload(bench, text) == ["alerts.most_per_hour"]
    assert bench.pid() == pid
    bench.note("reload", "a key changed and changed back, by the same process")


def _reload(bench: Bench, text: str) -> Any:
    """Return the keys that a changed configuration changed, as the journal tells."""
    before = len(_reloads(bench))
    (bench.machine.root / "etc/kilokai/kilokai.toml").write_text(text)
    bench.systemctl("reload", UNIT)
    until(lambda: len(_reloads(bench)) > before, seconds=20, what="word of the reload")
    return _reloads(bench)[-1]["changed"]


def _reloads(bench: Bench) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in bench.journal() if line.startswith("{")]
    return [line for line in lines if line["event"] == "configuration reloaded"]


def doctor_finds_no_fault(bench: Bench) -> None:
    said = bench.machine.run(
        "runuser", "-u", "kilokai", "--", KILOKAI, "doctor", "--json",
        "--config", "/etc/kilokai/kilokai.toml",
    )  # fmt: skip
    marks = Counter(found["mark"] for found in json.loads(said)["findings"])
    assert set(marks) <= {"ok", "warn"}, said
    bench.note("doctor, as the daemon's user", f"{marks['ok']} ok, {marks['warn']} warnings")


BEGINNING: Final[Sequence[Fact]] = (
    installed_twice,
    keys_made,
    drop_given,
    ready,
    exposure,
    scores,
    same_scores_outside,
    drop_unwritable,
    clients,
    reloaded,
    doctor_finds_no_fault,
)
