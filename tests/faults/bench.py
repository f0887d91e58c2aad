"""Runs faults: what they share is made once, and each has a lab of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Self

from acoio.simulate import simulate_drop
from tests.daemon.sea import Sea, sea_of
from tests.faults import catalogue  # noqa: F401  enters every fault into the registry
from tests.faults.lab import Lab
from tests.faults.life import Zygote
from tests.faults.oracle import oracle
from tests.faults.reference import Reference
from tests.faults.registry import Fault, Said

SEED = 5  # an event crosses each border between the files of a lab, and none the end
MINUTES = 5
KEEP = os.environ.get("KF_KEEP")


class Bench:
    """Where faults are run, one after the other."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kf-")  # short: ipc paths have 107 bytes
        files = simulate_drop(Path(self._folder.name, "sea"), seed=SEED, minutes=MINUTES)
        self.sea: Sea = sea_of(list(files))
        self.zygote = Zygote()
        self._reference = Reference(self.zygote)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.zygote.close()
        self._folder.cleanup()

    def run(self, fault: Fault) -> str:
        """Inject a fault, ask the oracle, and return what the fault counted."""
        with (
            tempfile.TemporaryDirectory(prefix="f", dir=self._folder.name) as folder,
            Lab(Path(folder), self.sea, self.zygote, self._reference) as lab,
        ):
            try:
                said = fault.inject(lab)
                if isinstance(said, Generator):
                    next(said)
                    oracle(lab)
                    return _rest(said)
                oracle(lab)
            except Exception:
                if KEEP and lab.log.exists():
                    shutil.copy(lab.log, Path(KEEP, fault.slug))
                raise
            return said or ""


def _rest(said: Said) -> str:
    """Let an injection go on to its end, and return what it says."""
    try:
        next(said)
    except StopIteration as end:
        return end.value or ""
    raise AssertionError("an injection yields once")
