"""Track: where the sound of a file lies in time, and how it is read, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from acoio.record_times import RecordTimes

_NOTHING = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Blocks of a file's samples, in the order of the file, and when each begins.

    All are (n,) int64: `first` is the block's first sample and `count` how many it
    has, 4096 or, before a gap and at the end of a copy, fewer; `times_us` is UTC, and
    `shift_us` how far that is from what the file's own clock says.
    """

    first: NDArray[np.int64]
    count: NDArray[np.int64]
    times_us: NDArray[np.int64]
    shift_us: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many blocks there are."""
        return len(self.times_us)


class Track(Protocol):
    """The sound of a file.

    `whole` says that samples are counts in int32, not fractions in float32; `layout`
    is that of the headers, or the format; `bits` counts the records of each width, if
    there are records; `fault` says why there is no sound, or "".  `clock_ratio` is the true
    rate over the nominal one.
    """

    @property
    def clock_ratio(self) -> float: ...
    @property
    def whole(self) -> bool: ...
    @property
    def layout(self) -> str: ...
    @property
    def bits(self) -> tuple[tuple[int, int], ...]: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def damaged_bytes(self) -> int: ...
    @property
    def fault(self) -> str: ...

    def marks(self, records: RecordTimes) -> Marks:
        """Return when the sound is; `records` is the clock of those that came before."""

    def read(self, first: int, count: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield samples and where they lie in the file, in order, without what is broken.

        Raises
        ------
        DataError
            If the file is not what it was.
        NotReadyError
            If it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Silent:
    """The track of a file that gives no sound."""

    fault: str
    size_bytes: int = 0
    whole: bool = True
    layout: str = ""
    bits: tuple[tuple[int, int], ...] = ()
    damaged_bytes: int = 0
    clock_ratio: float = 1.0

    def marks(self, records: RecordTimes) -> Marks:  # noqa: ARG002
        """Return no marks."""
        return Marks(_NOTHING, _NOTHING, _NOTHING, _NOTHING)

    def read(self, first: int, count: int) -> Iterator[tuple[int, NDArray[Any]]]:  # noqa: ARG002
        """Yield nothing."""
        return iter(())
