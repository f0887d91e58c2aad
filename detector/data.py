"""Windows as arrays, and batches of them by the loading coroutine.

`send(count)` gives the next batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acoio.errors import DataError
from detector.values import Window

Windows: TypeAlias = NDArray[np.floating[Any]]
"""Network input, (n, F, T): float32, or float16 where memory is short."""

Loader: TypeAlias = Generator[Tensor, int, None]
"""Takes how many windows are wanted and gives them, (count, F, T) float32."""

_HELD_OUT: Final = 10  # one in so many


@dataclass(frozen=True, eq=False)
class Levels:
    """What is kept of many windows: `excess_db` (n, F, T) float16, `spread_db` (n, F)."""

    excess_db: NDArray[np.float16]
    spread_db: NDArray[np.float32]


def levels_of(stretches: Iterable[Sequence[Window]]) -> Levels:
    """Return the levels of the windows of stretches, in order; a day takes 0.4 GB.

    Raises
    ------
    DataError
        If there are no windows.
    """
    excess_db: list[NDArray[np.float16]] = []
    spread_db: list[NDArray[np.float32]] = []
    for windows in stretches:
        if windows:
            excess_db.append(np.stack([w.excess_db for w in windows]).astype(np.float16))
            spread_db.append(np.stack([w.spread_db for w in windows]))
    if not excess_db:
        raise DataError("windows: found none, wanted some to learn from")
    return Levels(np.concatenate(excess_db), np.concatenate(spread_db))


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
