"""Boots a machine, sets the station up on it, and does to it what happens to stations.

`python -m tests.station`, as root: prints a table of what was done and measured; exit code 1 if
something is not so, 0 with the reason where no machine can be booted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.station.beginning import BEGINNING
from tests.station.bench import RELEASES, UNIT, Bench, sound_in
from tests.station.machine import lacking, machine
from tests.station.release import PYTHON, binds, lay_out
from tests.station.trouble import TROUBLE
from tests.station.upkeep import UPKEEP

_JOURNAL_LINES = 30


def main() -> int:
    """Do all of it; return the exit code."""
    if reason := lacking() or ("" if PYTHON.exists() else f"no {PYTHON}"):
        print(f"SKIPPED: {reason}")
        return 0
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kilokai-station-") as folder:
        place = Path(folder)
        (place / "machine").mkdir()
        sound = sound_in(place)
        with machine(place / "machine", binds()) as booted:
            lay_out(booted.root, RELEASES)
            bench = Bench(booted, sound)
            bench.note("boot", f"{booted.boot():.1f} s")
            done = _all_true(bench)
    bench.note("all of it", f"{time.monotonic() - begun_s:.0f} s")
    print("\n| what | found |\n|---|---|")
    print("\n".join(f"| {what} | {found} |" for what, found in bench.rows))
    return 0 if done else 1


def _all_true(bench: Bench) -> bool:
    for fact in (*BEGINNING, *TROUBLE, *UPKEEP):
        print(fact.__name__.replace("_", " "), flush=True)
        try:
            fact(bench)
        except AssertionError as error:
            bench.note(fact.__name__.replace("_", " "), f"NOT SO: {error}")
            print("\n".join(bench.journal()[-_JOURNAL_LINES:]))
            print(bench.systemctl("status", "--no-pager", UNIT, check=False))
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
