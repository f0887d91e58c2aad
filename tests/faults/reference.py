"""What an unbroken run gives: `kilokai score` on the same files, which knows no ledger."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.life import Life, Order, Zygote, forked

Files = Sequence[tuple[str, bytes]]
Json = dict[str, Any]


class Reference:
    """Scores and events of files, each set of files scored once."""

    def __init__(self, zygote: Zygote) -> None:
        self._zygote = zygote
        self._known: dict[str, Json] = {}

    def of(self, files: Files) -> Json:
        """Return `scores` and `events` of files."""
        key = hashlib.sha256()
        for name, data in files:
            key.update(f"{name} {len(data)} ".encode() + data)
        if key.hexdigest() not in self._known:
            self._known[key.hexdigest()] = self._scored(files)
        return self._known[key.hexdigest()]

    def _scored(self, files: Files) -> Json:
        with tempfile.TemporaryDirectory(prefix="kilokai-faults-") as name:
            folder = Path(name)
            for file, data in files:
                (folder / "drop" / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / "drop" / file).write_bytes(data)
            out, log = folder / "out", folder / "log"
            order = Order(("score", str(folder / "drop"), "--json"), log, out)
            life: Life = forked(self._zygote, order, "")
            assert life.wait(120.0) == 0, log.read_text()
            return dict(json.loads(out.read_text()))
