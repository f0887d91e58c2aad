"""`daemon.hearing.trial` with what goes wrong in the daemon that started it: kind, name."""

import importlib
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults import hooks

trial: Any = importlib.import_module("daemon.hearing.trial")

if __name__ == "__main__":
    kind, name = sys.argv[1:]
    hooks.install(kind, name)
    read_chunks = trial.read_chunks

    def poisoned(path: Path, **named: Any) -> Any:
        if name in path.name and kind in hooks.AT_DECODING:
            hooks.AT_DECODING[kind]()
        return read_chunks(path, **named)

    trial.read_chunks = poisoned
    trial.main()
