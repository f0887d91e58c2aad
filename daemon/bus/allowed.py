"""The clients that may listen, as their key files say now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import structlog
from zmq.utils import z85

from acoio.errors import NotReadyError, SetupError
from daemon.bus.keys import CLIENTS, clients, is_client

_log = structlog.get_logger()

_Seen = tuple[tuple[str, int, int, int], ...]


class Allowed:
    """Names by public key, read again whenever the folder of clients changes.

    A folder or a file that cannot be read allows nobody: who may listen is
    never guessed.
    """

    def __init__(self, keys: Path) -> None:
        self._folder = keys
        self._names: Mapping[bytes, str] = {}
        self._seen = self._listed()
        self._take()

    def name(self, public: bytes) -> str | None:
        """Return whose key of 32 bytes this is, or None if nobody's who may listen."""
        return self._names.get(public)

    def look(self) -> bool:
        """Read the folder again if it changed, and say whether a key went."""
        seen = self._listed()
        if seen == self._seen:
            return False
        self._seen = seen
        return self._take()

    def _take(self) -> bool:
        before, now = self._names, self._read()
        came, went = now.keys() - before.keys(), before.keys() - now.keys()
        self._names = now
        _log.info(
            "clients of the bus",
            allowed=len(now),
            new=sorted(now[key] for key in came),
            revoked=sorted(before[key] for key in went),
        )
        return bool(went)

    def _listed(self) -> _Seen | None:
        try:
            with os.scandir(self._folder / CLIENTS) as entries:
                return tuple(sorted(_sight(e) for e in entries if is_client(e.name)))
        except OSError:
            return None

    def _read(self) -> dict[bytes, str]:
        try:
            found, faults = clients(self._folder)
        except (SetupError, NotReadyError) as error:
            found, faults = {}, [str(error)]
        for fault in faults:
            _log.warning("client not allowed", reason="bad_key_file", detail=fault)
        return {z85.decode(key): name for name, key in found.items()}


def _sight(entry: os.DirEntry[str]) -> tuple[str, int, int, int]:
    try:
        now = entry.stat()
    except OSError:  # it went this instant, or is a link to nowhere
        return entry.name, 0, 0, 0
    return entry.name, now.st_ctime_ns, now.st_size, now.st_ino
