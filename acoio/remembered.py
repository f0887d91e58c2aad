"""What was made of files, for as long as they stay as they are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from acoio.errors import NotReadyError

_V = TypeVar("_V")


class Remembered(Generic[_V]):
    """What was made of a file, until the file changes; the oldest is forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Path, tuple[tuple[int, int], _V]] = OrderedDict()

    def get(self, path: Path, make: Callable[[Path], _V]) -> _V:
        """Return what is remembered of a file as it is now, or make it.

        Raises
        ------
        NotReadyError
            If there is no such file, and what `make` raises.
        """
        try:
            found = path.stat()
        except OSError as error:
            raise NotReadyError(f"{path}: {error.strerror}") from error
        state = found.st_size, found.st_mtime_ns
        kept = self._kept.get(path)
        if kept is None or kept[0] != state:
            kept = state, make(path)
        self._kept[path] = kept
        self._kept.move_to_end(path)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept[1]
