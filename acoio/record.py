"""A record: 4096 samples with the time of the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from acoio.header import LAYOUTS


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One record of a file.

    `number` is the recorder's count, `begin` the UTC time of the first sample
    by the header's clock, `samples` (4096,) int32 counts, `raw` the 36 header
    bytes, `byte` where they lie in the file, and `sample` how many samples of
    the file were read before this record.
    """

    number: int
    begin: datetime
    bits: int
    samples: NDArray[np.int32]
    raw: bytes
    layout: str
    byte: int
    sample: int

    def fields(self) -> dict[str, int]:
        """Return every field of the header by its name in the record's layout."""
        header = np.frombuffer(self.raw, LAYOUTS[self.layout])[0]
        return {name: int(header[name]) for name in LAYOUTS[self.layout].names or ()}


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a file that gave no sound, and why."""

    byte: int
    length_bytes: int
    reason: str
