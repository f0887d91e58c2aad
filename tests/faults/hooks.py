"""What goes wrong inside a daemon's process, where no fault from outside can reach."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

_FOR_EVER_S: Final = 3600.0


def _abort() -> None:
    os.abort()


def _hang() -> None:
    time.sleep(_FOR_EVER_S)


def _exhaust() -> None:
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 byte")


_KINDS: Final[dict[str, Callable[[], None]]] = {"abort": _abort, "hang": _hang, "oom": _exhaust}


def install(kind: str, name: str) -> None:
    """Let the decoder do `kind` at every file whose path has `name` in it."""
    import acoio.reader

    decode = acoio.reader.read_chunk

    def poisoned(path: Any, *rest: Any, **named: Any) -> Any:
        if name in str(path):
            _KINDS[kind]()
        return decode(path, *rest, **named)

    for module in list(sys.modules.values()):
        if getattr(module, "read_chunk", None) is decode:
            module.read_chunk = poisoned  # type: ignore[attr-defined]
