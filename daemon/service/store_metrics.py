"""The chore that tells how much room the store has, and takes."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.soundness import wal_of
from daemon.metrics import Metrics

_EVERY_S: Final = 10.0


class StoreRoom:
    """Asks the file system now and then; where that fails, the former figures stay."""

    def __init__(self, store: Path, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._due_s = 0.0
        self._tell()

    def do(self, now_s: float) -> None:
        """Tell what is due, at a time (monotonic, seconds)."""
        if now_s >= self._due_s:
            self._due_s = now_s + _EVERY_S
            self._tell()

    def _tell(self) -> None:
        ledger = self._store / LEDGER_FILE
        with suppress(OSError):
            usage = shutil.disk_usage(self._store)
            self._metrics.store_free.set(usage.free)
            self._metrics.store_size.set(usage.total)
            self._metrics.ledger_bytes.set(ledger.stat().st_size + wal_of(ledger).stat().st_size)
