"""What goes wrong inside a daemon's process, where no fault from outside can reach."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_FOR_EVER_S: Final = 3600.0


def _abort() -> None:
    os.abort()


def _hang() -> None:
    time.sleep(_FOR_EVER_S)


def _exhaust() -> None:
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 byte")


AT_DECODING: Final[dict[str, Callable[[], None]]] = {"abort": _abort, "loop": _hang}
_AT_SCORING: Final[dict[str, Callable[[], None]]] = {"hang": _hang, "memory": _exhaust}


def install(kind: str, name: str) -> None:
    """Let `kind` happen: at every file whose path has `name` in it, where it is about files."""
    if kind in AT_DECODING or kind in _AT_SCORING:
        _in_the_trial(kind, name)
    if kind == "model":
        _with_the_model()
    elif kind == "closed":
        os.close(2)
    elif kind in AT_DECODING:
        _at_decoding(AT_DECODING[kind], name)
    else:
        _at_scoring(_AT_SCORING[kind], name)


def _in_the_trial(kind: str, name: str) -> None:
    """Let it happen as well in the process that tries a file for the daemon."""
    from daemon.hearing import trial

    script = Path(__file__).with_name("poisoned_trial.py")
    trial.COMMAND = [sys.executable, str(script), kind, name]


def _with_the_model() -> None:
    """Give the process the loader that `tests.daemon.loud_daemon` stands in for."""
    import detector
    from detector.scoring.checkpoint import load_model

    stand_in = detector.load_model
    for module in list(sys.modules.values()):
        if getattr(module, "load_model", None) is stand_in:
            module.load_model = load_model  # type: ignore[attr-defined]


def _at_decoding(happen: Callable[[], None], name: str) -> None:
    from daemon.drop.files import Drop

    reader: Any = importlib.import_module("acoio.reader")
    bytes_of, walk = Drop.bytes_of, reader.walk
    read: list[str] = []

    def noted(self: Any, file: str) -> Any:
        read[:] = [file]
        return bytes_of(self, file)

    def poisoned(*rest: Any, **named: Any) -> Any:
        if name in read:
            happen()
        return walk(*rest, **named)

    Drop.bytes_of = noted  # type: ignore[method-assign, assignment]
    reader.walk = poisoned


def _at_scoring(happen: Callable[[], None], name: str) -> None:
    from detector.scoring.listen import Listener

    push = Listener.push

    def poisoned(self: Any, records: Any, file: str, **named: Any) -> Any:
        if name in file:
            happen()
        return push(self, records, file, **named)

    Listener.push = poisoned  # type: ignore[method-assign]
