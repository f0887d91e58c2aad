"""The track of a file of the observatory: its records, by their headers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acoio.clock import ACO_RATIO
from acoio.errors import DataError
from acoio.header import HEADER_BYTES, RECORD_SAMPLES
from acoio.index import FileIndex, read_index
from acoio.rate import check_rate
from acoio.reader import RECORDS_AT_ONCE, read_chunk
from acoio.record_times import RecordTimes
from acoio.track import Marks


@dataclass(frozen=True, slots=True, eq=False)
class RecordTrack:
    """The sound of a file of records, as its `index` finds them."""

    path: Path
    rate_hz: float
    index: FileIndex

    @property
    def clock_ratio(self) -> float:
        """How much faster than nominal the observatory samples."""
        return ACO_RATIO

    @property
    def whole(self) -> bool:
        """Counts are whole."""
        return True

    @property
    def layout(self) -> str:
        """The layout of the headers."""
        return self.index.layout

    @property
    def size_bytes(self) -> int:
        """The size of the file."""
        return self.index.size_bytes

    @property
    def damaged_bytes(self) -> int:
        """How many bytes are in no record."""
        return self.index.size_bytes - int(np.sum(self.index.payload_bytes + HEADER_BYTES))

    @property
    def bits(self) -> tuple[tuple[int, int], ...]:
        """How many records there are of each width."""
        widths, counts = np.unique(self.index.bits, return_counts=True)
        return tuple(zip(widths.tolist(), counts.tolist(), strict=True))

    @property
    def fault(self) -> str:
        """Why there is no record."""
        if len(self.index):
            return ""
        if not self.index.size_bytes:
            return "empty file"
        if self.index.damages:
            return self.index.damages[0].reason
        return f"short last record: found {self.size_bytes - self.index.end_byte} bytes"

    def marks(self, records: RecordTimes) -> Marks:
        """Return when each record begins."""
        times_us, shift_us = records.push(self.index)
        first = np.arange(len(times_us)) * RECORD_SAMPLES
        return Marks(first, np.full_like(first, RECORD_SAMPLES), times_us, shift_us)

    def read(self, first: int, count: int) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Yield the samples, a record at a time."""
        at, end, places = first, first + count, self.index.byte
        while at < end:
            record = at // RECORD_SAMPLES
            wanted = min(-(-end // RECORD_SAMPLES) - record, RECORDS_AT_ONCE)
            byte = int(places[record])
            chunk = read_chunk(self.path, byte, rate_hz=self.rate_hz, limit=wanted)
            for k, found in enumerate(chunk.records, record):
                if found.byte != places[k]:
                    raise self._changed(found.byte)
                begin = k * RECORD_SAMPLES
                yield at, found.samples[at - begin : end - begin]
                at = begin + RECORD_SAMPLES
            if not chunk.records:
                raise self._changed(byte)

    def _changed(self, byte: int) -> DataError:
        return DataError(f"{self.path}, byte {byte}: the file changed under the reader")


def record_track(path: Path, rate_hz: float) -> RecordTrack:
    """Return the track of a file as it is now.

    Raises
    ------
    NotReadyError, DataError
        As `read_index`.
    RateError
        If its clock contradicts the rate.
    """
    index = read_index(path)
    check_rate(index, rate_hz, path)
    return RecordTrack(path, rate_hz, index)
