"""Windows as arrays, and batches of them by the loading coroutine.

`send(count)` gives the next batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acoio.errors import DataError
from detector.features.normalise import Levels
from detector.values import Window

Windows: TypeAlias = NDArray[np.floating[Any]]
"""Network input, (n, F, T): float32, or float16 where memory is short."""

Loader: TypeAlias = Generator[Tensor, int, None]
"""Takes how many windows are wanted and gives them, (count, F, T) float32."""

_HELD_OUT: Final = 10  # one in so many


def levels_of(stretches: Iterable[Sequence[Window]]) -> Levels:
    """Return the levels of the windows of stretches, in order; a day takes 0.4 GB.

    Raises
    ------
    DataError
        If there are no windows.
    """
    parts = [
        Levels(
            np.stack([window.excess_db for window in windows]).astype(np.float16),
            np.stack([window.spread_db for window in windows]),
        )
        for windows in stretches
        if windows
    ]
    if not parts:
        raise DataError("windows: found none, wanted some to learn from")
    return _joined(parts)


def _joined(parts: list[Levels]) -> Levels:
    """Return parts as one, taking them away, so that memory holds hardly more than all of them."""
    count = sum(len(part.excess_db) for part in parts)
    first = parts[0]
    excess_db = np.empty((count, *first.excess_db.shape[1:]), np.float16)
    spread_db = np.empty((count, *first.spread_db.shape[1:]), np.float32)
    while parts:
        part = parts.pop()
        begin = count - len(part.excess_db)
        excess_db[begin:count], spread_db[begin:count] = part.excess_db, part.spread_db
        count = begin
    return Levels(excess_db, spread_db)


def loader(windows: Windows, *, seed: int, drawn: int = 0) -> Loader:
    """Return a coroutine that draws windows at random, ready to be sent a count.

    Batch k depends on the seed and k alone, so that one which goes on after
    `drawn` batches gives what an unbroken one would have given.
    """
    batches = _batches(windows, seed, drawn)
    next(batches)
    return batches


def _batches(windows: Windows, seed: int, drawn: int) -> Loader:
    count = yield torch.empty(0)
    while True:
        chosen = np.random.default_rng([seed, drawn]).integers(len(windows), size=count)
        count = yield torch.from_numpy(windows[chosen].astype(np.float32, copy=False))
        drawn += 1


def sha256_of(*arrays: Windows) -> str:
    """Return the hash of arrays, with their shapes and types."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def held_out(windows: Windows, fewest: int, name: str) -> tuple[Windows, Windows]:
    """Return windows to learn from and, the last tenth in time, windows to check that by.

    Neighbouring windows overlap, so one drawn from among the others would check nothing.

    Raises
    ------
    DataError
        If there are fewer than `fewest`, or values that are not finite.
    """
    if len(windows) < fewest:
        raise DataError(f"{name}: found {len(windows)} windows, wanted {fewest}")
    if not all(np.isfinite(windows[k : k + 4096]).all() for k in range(0, len(windows), 4096)):
        raise DataError(f"{name}: found values that are not finite")
    last = len(windows) - len(windows) // _HELD_OUT
    return windows[:last], windows[last:]


def evenly(windows: Windows, most: int) -> Windows:
    """Return windows at even distances, as many as there are or are wanted."""
    count = min(len(windows), most)
    chosen: Windows = windows[np.arange(count) * len(windows) // max(1, count)]
    return chosen


def check_range(**kinds: Windows) -> None:
    """Raise `DataError` if windows of a kind do not lie between 0 and 1."""
    for name, windows in kinds.items():
        if windows.min() < 0 or windows.max() > 1:
            found = f"{windows.min():g} to {windows.max():g}"
            raise DataError(f"{name}: found values from {found}, wanted 0 to 1")
