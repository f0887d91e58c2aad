"""The station in its machine: its drop, its configuration, and what can be seen of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from acoio.simulate import simulate_drop
from daemon.ledger.stored import stored_scores
from tests.daemon.sea import sea_of
from tests.station.machine import Machine, until
from tests.station.release import SOURCE

UNIT: Final = "kilokai.service"
KILOKAI: Final = "/usr/local/bin/kilokai"
STORE: Final = Path("/var/lib/kilokai")
DROP: Final = Path("/srv/drop")
SCRIPT: Final = SOURCE / "systemd" / "station.sh"
RELEASES: Final = ("0.1.0-one", "0.1.0-two")
WORKS_S: Final = 90.0
CONFIG: Final = """
[drop]
path = "/srv/drop"
settle_s = 1.0
rescan_s = 1.0
[bus]
heartbeat_s = 1.0
keys = "/etc/kilokai/keys"
credential = "bus_server.secret"
"""


@dataclass
class Bench:
    """A machine, the files that are still to come, and the rows of the table."""

    machine: Machine
    sound: list[Path]
    rows: list[tuple[str, str]] = field(default_factory=list)
    delivered: int = 0

    def note(self, what: str, found: str) -> None:
        """Keep a row of the table, and print it."""
        self.rows.append((what, found))
        print(f"  {what}: {found}", flush=True)

    def systemctl(self, *words: str, check: bool = True) -> str:
        """Run systemctl there."""
        return self.machine.run("systemctl", *words, check=check)

    def shown(self, *names: str, unit: str = UNIT) -> dict[str, str]:
        """Return properties of a unit."""
        asked = [word for name in names for word in ("-p", name)]
        lines = self.systemctl("show", unit, *asked).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def script(self, *words: str, check: bool = True, **environ: str) -> str:
        """Run the script that installs, there."""
        sets = [f"{name}={value}" for name, value in environ.items()]
        return self.machine.run("env", *sets, SCRIPT, *words, check=check)

    def drop_in(self, text: str) -> None:
        """Change the unit as an operator does."""
        folder = self.machine.root / "etc/systemd/system/kilokai.service.d"
        folder.mkdir(exist_ok=True)
        (folder / "test.conf").write_text(text)
        self.systemctl("daemon-reload")

    def deliver(self, count: int = 1) -> None:
        """Let files arrive in the drop, readable for its group alone."""
        for path in self.sound[self.delivered : self.delivered + count]:
            there = self.machine.root / DROP.relative_to("/") / path.name
            half = there.with_name(f".{path.name}")
            shutil.copyfile(path, half)
            half.chmod(0o640)
            shutil.chown(half, group=there.parent.stat().st_gid)
            half.rename(there)
        self.delivered += count

    def status(self, store: Path = STORE) -> dict[str, Any]:
        """Return what `kilokai status` tells of a store there."""
        said = self.machine.run(KILOKAI, "status", "--store", store, "--json", check=False)
        found: dict[str, Any] = json.loads(said) if said.startswith("{") else {}
        return found

    def wait_done(self) -> float:
        """Wait until all that was delivered is scored; return how long that took in seconds."""
        begun_s = time.monotonic()

        def done() -> bool:
            found = self.status()
            return bool(found) and found["files"]["done"] == self.delivered

        until(done, seconds=WORKS_S, what=f"{self.delivered} files done")
        return time.monotonic() - begun_s

    def wait_restarted(self, times: int) -> float:
        """Wait until it is up again after so many restarts; return how long that took."""
        begun_s = time.monotonic()

        def up() -> bool:
            now = self.shown("NRestarts", "ActiveState", "SubState")
            return (int(now["NRestarts"]) == times) and now["SubState"] == "running"

        until(up, seconds=WORKS_S, what=f"restart {times}")
        return time.monotonic() - begun_s

    def restarts(self) -> int:
        """Return how often it was started again."""
        return int(self.shown("NRestarts")["NRestarts"])

    def pid(self) -> str:
        """Return the number of its process."""
        return self.shown("MainPID")["MainPID"]

    def scores(self, store: Path = STORE) -> Sequence[dict[str, Any]]:
        """Return every score of a store there."""
        return stored_scores(self.machine.root / store.relative_to("/"))

    def journal(self, unit: str = UNIT) -> list[str]:
        """Return the lines of a unit's journal."""
        return self.machine.run("journalctl", "-u", unit, "-o", "cat", "--no-pager").splitlines()


Fact = Callable[[Bench], None]


def sound_in(folder: Path) -> list[Path]:
    """Return twelve files of two minutes of simulated sound."""
    sea = sea_of(list(simulate_drop(folder / "whole", seed=3, minutes=24)))
    (folder / "cut").mkdir()
    for name, data in sea.cut():
        (folder / "cut" / name).write_bytes(data)
    return sorted((folder / "cut").iterdir())
