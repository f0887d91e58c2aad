"""Samples → the observatory's files, record by record.

Source: the record format in docs/format.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acoio.clock import NOMINAL_RATE_HZ, from_us, header_from_begin, record_us, to_us
from acoio.header import (
    BYTES_PER_BIT,
    EARLIEST_S,
    HEADER_BYTES,
    LATEST_S,
    LAYOUTS,
    MAX_BITS,
    NUMBERS,
    RECORD_SAMPLES,
)
from acoio.output import write_output
from acoio.sound import Sound
from acoio.unpack import pack


def encode_records(
    samples: NDArray[np.int32],
    *,
    begins_us: NDArray[np.int64] | Sequence[int],
    first_number: int,
    layout: str = "new",
    rate_hz: float = NOMINAL_RATE_HZ,
    bits: int | None = None,
) -> bytes:
    """Return whole records as the bytes of a file, `(n * 4096,) counts → bytes`.

    `begins_us` holds the UTC time (µs) of each record's first sample, `rate_hz`
    is the nominal rate.  Each record gets the smallest sample width that holds
    it, or `bits` where that is given.  32 bits are the unpacked samples of the older
    `HYDR24KBB` files, byte for byte.

    Raises
    ------
    ValueError
        If the samples are no whole records, the times are not one a record, the
        layout is unknown, or a sample does not fit in `bits`.
    """
    records = _whole_records(samples, len(begins_us))
    if layout not in LAYOUTS:
        raise ValueError(f"layout: found {layout!r}, wanted one of {', '.join(LAYOUTS)}")
    if not all(EARLIEST_S * 1_000_000 <= begin < LATEST_S * 1_000_000 for begin in begins_us):
        raise ValueError("record times: found some outside of 2000 to 2100")
    widths = _widths(records) if bits is None else np.full(len(records), bits)
    ends = np.cumsum(HEADER_BYTES + BYTES_PER_BIT * widths)
    content = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    payloads = _payloads(records, widths)
    for k, end in enumerate(ends):
        begin = int(end) - HEADER_BYTES - len(payloads[k])
        header = _header(int(begins_us[k]), (first_number + k) % NUMBERS, layout, rate_hz)
        header["SampleSize"] = widths[k]
        content[begin : begin + HEADER_BYTES] = header.view(np.uint8)
        content[begin + HEADER_BYTES : end] = payloads[k]
    return content.tobytes()


def write(
    path: str | Path,
    sound: Sound,
    *,
    layout: str = "new",
    first_number: int = 0,
    bits: int | None = None,
) -> None:
    """Write a sound of whole records as one file, in one step.

    `path` should bear a `FileName`.  The records have the times of the sound's
    marks.  A layout that repeats no number ("shore", "earliest") is known by two
    records or more; a file of one is not read again.

    Raises
    ------
    ValueError
        If the sound has gaps, and as `encode_records`.
    NotReadyError
        If it cannot be written.
    """
    if sound.gaps:
        raise ValueError(f"sound: found {len(sound.gaps)} gaps, wanted none in a file")
    content = encode_records(
        sound.samples,
        begins_us=sound.marks_us,
        first_number=first_number,
        layout=layout,
        rate_hz=sound.rate_hz,
        bits=bits,
    )
    write_output(path, content)


def record_begins_us(
    begin: datetime, first: int, count: int, *, rate_hz: float = NOMINAL_RATE_HZ
) -> NDArray[np.int64]:
    """Return the begins of records `first` to `first + count - 1`, `→ (count,) µs`.

    `begin` is the time of record 0.  Each time is rounded by itself, so no error
    adds up and it does not matter where files are cut.
    """
    offsets = np.rint(np.arange(first, first + count) * record_us(rate_hz))
    return np.asarray(to_us(begin) + offsets.astype(np.int64))


def _whole_records(samples: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    if samples.dtype != np.int32:
        raise ValueError(f"samples: found {samples.dtype}, wanted int32")
    if samples.shape != (count * RECORD_SAMPLES,):
        raise ValueError(
            f"samples: found shape {samples.shape}, wanted {RECORD_SAMPLES} for each of "
            f"{count} record times"
        )
    records: NDArray[np.int32] = samples.reshape(count, RECORD_SAMPLES)
    return records


def _widths(records: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the smallest width of each record, `(n, 4096) → (n,) bits`."""
    low, high = records.min(axis=1).astype(np.int64), records.max(axis=1).astype(np.int64)
    largest = np.maximum(np.maximum(high, -low - 1), 0)
    return np.asarray(np.searchsorted(1 << np.arange(MAX_BITS), largest, side="right") + 1)


def _payloads(
    records: NDArray[np.int32], widths: NDArray[np.int64]
) -> dict[int, NDArray[np.uint8]]:
    """Return each record's packed bytes by its index; records of a width go together."""
    payloads: dict[int, NDArray[np.uint8]] = {}
    for bits in np.unique(widths):
        where = np.flatnonzero(widths == bits)
        packed = pack(records[where].reshape(-1), int(bits)).reshape(len(where), -1)
        payloads |= dict(zip(where.tolist(), packed, strict=True))
    return payloads


def _header(begin_us: int, number: int, layout: str, rate_hz: float) -> NDArray[np.void]:
    header = np.zeros(1, LAYOUTS[layout])
    clock = header_from_begin(begin_us, rate_hz)
    values = {"Record": number, "Record_Duplicate": number, **clock}
    if layout == "shore":
        values |= {"Shore_tSec": clock["tSec"], "Shore_ms": clock["tuSec"] // 1000}
    if layout == "earliest":
        values |= _calendar(clock["AtSec"])
    for name in header.dtype.names or ():
        header[name] = values.get(name, 0)
    return header


def _calendar(second: int) -> dict[str, int]:
    time = from_us(second * 1_000_000).timetuple()
    return {
        "Year": time.tm_year,
        "yDay": time.tm_yday,
        "Hour": time.tm_hour,
        "Min": time.tm_min,
        "Sec": time.tm_sec,
    }
