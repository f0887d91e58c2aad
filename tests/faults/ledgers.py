"""46 to 52: a damaged ledger, too few handles, a second daemon; clocks that jump."""

from __future__ import annotations

import random
import resource
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from daemon.ledger.database import LEDGER_FILE
from tests.faults.lab import Lab
from tests.faults.life import until
from tests.faults.registry import fault
from tests.faults.shell import sh

SEED: Final = 46
_CLOCK_SOURCE: Final = Path(__file__).with_name("clockshift.c")


def _beats(lab: Lab) -> None:
    before = len(lab.recorder.beats)
    until(lambda: len(lab.recorder.beats) > before + 2, "heartbeats go on")


def with_ledger(lab: Lab) -> Path:
    """Read all but the last file, and return the ledger's path."""
    lab.put(lab.files[:3])
    assert lab.run() == 0
    return lab.store / LEDGER_FILE


def rebuilt(lab: Lab, epoch: str) -> str:
    """See that the next start moves the ledger aside and makes a new one from the sound."""
    lab.new_epoch = True
    lab.put(lab.files[3:])
    assert lab.run() == 0, lab.log.read_text()[-500:]
    assert lab.meta()["epoch"] != epoch, "the epoch is the old one"
    kept = [path.name for path in lab.store.iterdir() if path.name != LEDGER_FILE]
    assert any(name.startswith("ledger") for name in kept), kept
    return f"kept as {sorted(n for n in kept if n.startswith('ledger'))[0]}"


@fault(
    46, "the ledger is no database any more", how="16 kB of noise over its beginning",
    wanted="moved aside, a new epoch, rebuilt from the sound",
)  # fmt: skip
def noise_in_ledger(lab: Lab) -> str:
    path = with_ledger(lab)
    epoch = lab.meta()["epoch"]
    with path.open("r+b") as file:
        file.write(random.Random(SEED).randbytes(16 << 10))
    return rebuilt(lab, epoch)


@fault(
    46, "the ledger is cut short", how="truncated to a third, and the WAL removed",
    wanted="as above",
)  # fmt: skip
def cut_ledger(lab: Lab) -> str:
    path = with_ledger(lab)
    epoch = lab.meta()["epoch"]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    return rebuilt(lab, epoch)


@fault(
    46, "the ledger is empty", how="truncated to nothing, though the store has a history",
    wanted="as above: never the old numbers again",
)  # fmt: skip
def empty_ledger(lab: Lab) -> str:
    path = with_ledger(lab)
    epoch = lab.meta()["epoch"]
    path.write_bytes(b"")
    lab.new_epoch = True
    lab.put(lab.files[3:])
    assert lab.run() == 0
    assert lab.meta()["epoch"] != epoch
    return ""


@fault(
    46, "bits flip in the ledger",
    how=f"one bit, in each of 24 random places of its pages in turn; seed {SEED}",
    wanted="seen and rebuilt under a new epoch, or harmless: never other scores under the old one",
    fast=False,
)  # fmt: skip
def flipped(lab: Lab) -> str:
    path = with_ledger(lab)
    epoch, whole, rng, anew = lab.meta()["epoch"], path.read_bytes(), random.Random(SEED), 0
    lab.put(lab.files[3:])
    wanted = lab.reference.of(lab.files)["scores"]
    for _ in range(24):
        for file in lab.store.iterdir():
            if file.is_file():
                file.unlink()
        at, bit = rng.randrange(len(whole)), rng.randrange(8)
        data = bytearray(whole)
        data[at] ^= 1 << bit
        path.write_bytes(data)
        if lab.run() != 0:  # found while it worked: the next start begins anew
            assert lab.run() == 0, f"bit {bit} of byte {at}: {lab.log.read_text()[-500:]}"
        anew += lab.meta()["epoch"] != epoch
        found = lab.scores()
        if found != wanted:
            other = [s for s in found if s not in wanted]
            assert len(other) <= 1, f"bit {bit} of byte {at}: {len(other)} scores differ"
    lab.new_epoch = True
    for file in lab.store.iterdir():
        if file.is_file():
            file.unlink()
    return f"24 flips, {anew} times a new epoch"


@fault(
    47, "a ledger of a newer or unknown version", how="its schema's number set to 99",
    wanted="refused with exit code 78 and what was found; nothing of it changed",
)  # fmt: skip
def newer(lab: Lab) -> str:
    path = with_ledger(lab)
    with closing(sqlite3.connect(path)) as database, database:
        (old,) = database.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        database.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    code = lab.run()
    assert code == 78, code
    assert "schema 99" in lab.log.read_text(), lab.log.read_text()[-300:]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (old,))
    lab.put(lab.files[3:])
    return lab.log.read_text().strip().splitlines()[-1][-100:].replace(str(lab.store), "store")


@fault(
    48, "no file handle left",
    how="prlimit: RLIMIT_NOFILE to what is open now; given back after a second",
    wanted="it waits and goes on; no file is lost or set aside",
)  # fmt: skip
def no_handles(lab: Lab) -> str:
    with lab.life() as life:
        life.ready()
        lab.put(lab.files[:1])
        lab.all_done()
        soft, hard = resource.prlimit(life.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(life.pid, resource.RLIMIT_NOFILE, (life.handles(), hard))
        lab.put(lab.files[1:])
        time.sleep(1.0)
        ended = life.ended()
        if not ended:
            resource.prlimit(life.pid, resource.RLIMIT_NOFILE, (soft, hard))
            lab.all_done()
    return "ended, to be started again" if ended else "waited"


@fault(
    49, "a second daemon on the same store", how="started on other ports while the first one works",
    wanted="the second is refused with exit code 1, the first unharmed",
)  # fmt: skip
def second(lab: Lab) -> None:
    lab.put(lab.files[:2])
    with lab.life() as life:
        life.ready()
        free = [f"bus.{key}=tcp://127.0.0.1:0" for key in ("publish", "replay")]
        words = [w for text in [*free, "metrics.listen=127.0.0.1:0"] for w in ("--set", text)]
        assert lab.run(*words) == 1
        assert f"in use by process {life.pid}" in lab.log.read_text()
        lab.put(lab.files[2:])
        lab.all_done()


@fault(
    50, "the wall clock jumps",
    how="a preloaded clock: 1970 at the start, then +1 day, −1 day, +10 years",
    wanted="times are the sound's; nothing lost, doubled or waited for", needs=("gcc",), fast=False,
)  # fmt: skip
def clock_jumps(lab: Lab) -> str:
    library, shift = lab.folder / "clock.so", lab.folder / "shift"
    sh("gcc", "-shared", "-fPIC", "-O2", "-o", library, _CLOCK_SOURCE)
    shift.write_text(str(-int(time.time()) + 60))
    environ = {"LD_PRELOAD": str(library), "FAULTS_CLOCK": str(shift)}
    with lab.life(prefix=("env",), environ=environ) as life:
        life.ready()
        for (name, data), seconds in zip(lab.files, (0, 86_400, -86_400, 315_360_000), strict=True):
            if seconds:
                shift.write_text(str(seconds))
            lab.put([(name, data)])
            lab.all_done()
            _beats(lab)
        years = {beat["time"][:4] for beat in lab.recorder.beats}
        life.stop()
    assert "1970" in years, years
    return f"heartbeats of the years {', '.join(sorted(years))}"


@fault(
    51, "the monotonic clock begins anew",
    how="unshare -T --monotonic: 40 days on, then back at the next start",
    wanted="nothing that was stored hangs on it", needs=("time namespaces",), fast=False,
)  # fmt: skip
def reboot(lab: Lab) -> None:
    for files, offset in ((lab.files[:2], "3456000"), (lab.files[2:], "0")):
        lab.put(files)
        prefix = ("unshare", "-T", "--monotonic", offset, "--fork", "--kill-child=SIGTERM")
        with lab.life("--until-idle", prefix=prefix) as life:
            assert life.wait() == 0


@fault(
    52, "a time zone with summer time", how="TZ=America/St_Johns, then TZ=Pacific/Apia",
    wanted="UTC everywhere",
)  # fmt: skip
def time_zone(lab: Lab) -> None:
    for files, zone in ((lab.files[:2], "America/St_Johns"), (lab.files[2:], "Pacific/Apia")):
        lab.put(files)
        assert lab.run(environ={"TZ": zone}) == 0
