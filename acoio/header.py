"""The 36-byte record header: layouts as dtypes, and what can be true in one.

Source of the fields: ACO reader scripts, as collected in docs/format.md.  The
record number, the clock and the sample size stand at the same bytes in every
layout, so a reader that needs no more than these reads every date.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES: Final = 36
RECORD_SAMPLES: Final = 4096
BYTES_PER_BIT: Final = RECORD_SAMPLES // 8
MAX_BITS: Final = 32
MAX_RECORD_BYTES: Final = HEADER_BYTES + BYTES_PER_BIT * MAX_BITS


def _of(kind: str, *names: str) -> list[tuple[str, str]]:
    return [(name, kind) for name in names]


_FIRST_CLOCK = _of("<u4", "tSec", "tuSec", "timecount")
_CLOCK = [*_FIRST_CLOCK, *_of("<u4", "AtSec", "AtnSec")]
_END = _of("u1", "CorrectionOffset_HnSec", "ID", "LeftRightFlag", "SampleSize")

OLD: Final = np.dtype(
    [
        *_of("<u4", "Record"),
        *_of("u1", "Decimation", "ID", "Sync1", "Sync2"),
        *_of("<u4", "Record_Duplicate"),
        *_CLOCK,
        *_of("u1", "StatusByte1", "StatusByte2", "DynamicRangeBitsFile", "SampleSize"),
    ]
)
"""Layout of files before 2016-12-06 02:10 UTC."""

NEW: Final = np.dtype(
    [
        *_of("<u4", "Record", "Record_Duplicate"),
        *_of("u1", "Sync1", "Sync2", "StatusByte1", "StatusByte2"),
        *_CLOCK,
        *_END,
    ]
)
"""Layout of files from 2016-12-06 02:10 UTC on."""

SHORE: Final = np.dtype(
    [
        *_of("<u4", "Record", "Shore_tSec"),
        *_of("<u2", "Shore_ms"),
        *_of("u1", "StatusByte1", "StatusByte2"),
        *_CLOCK,
        *_END,
    ]
)
"""Layout proposed in 2019: the shore's clock stands where the number was repeated."""

EARLIEST: Final = np.dtype(
    [
        *_of("<u4", "Record"),
        *_of("u1", "Decimation", "StartofFile", "Sync1", "Sync2"),
        *_of("u1", "StatusByte1", "StatusByte2", "pad1", "LeftRightFlag"),
        *_FIRST_CLOCK,
        *_of("<i2", "Year", "yDay"),
        *_of("u1", "Hour", "Min", "Sec", "Allignment"),
        *_of("<i2", "sSec"),
        *_of("u1", "dynrange", "SampleSize"),
    ]
)
"""Layout of the earliest readers (Duennebier): a calendar, and no number repeated."""

LAYOUTS: Final = {"earliest": EARLIEST, "old": OLD, "new": NEW, "shore": SHORE}

NUMBERS: Final = 1 << 32
"""The record number is an unsigned 32-bit count that wraps."""

# A header's clock outside these years is damage, not time.  The hydrophone first
# recorded in 2011; test feeds and other recorders may want some room around that.
EARLIEST_S: Final = 946_684_800  # 2000-01-01
LATEST_S: Final = 4_102_444_800  # 2100-01-01
_SHORE_APART_S: Final = 86_400  # the shore's clock and the sea's are no further apart
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


def timed(headers: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which headers hold a time of this century, `(n,) any layout → (n,) bool`."""
    head = headers.view(OLD)
    century = (head["tSec"] >= EARLIEST_S) & (head["tSec"] < LATEST_S)
    return np.asarray(century & (head["tuSec"] < 1_000_000) & (head["timecount"] < 10_000_000))


def layout_of(headers: NDArray[np.void]) -> str:
    """Return the name of the layout that most of the headers can be, `(n,) → name`.

    One header may look like another layout by chance (record 500 of the proposed
    layout at 500 ms looks repeated, and so does any record 0 among zeros); its
    neighbours do not.
    """
    votes = {
        "earliest": _calendar(headers.view(EARLIEST)),
        "old": headers.view(OLD)["Record"] == headers.view(OLD)["Record_Duplicate"],
        "new": headers.view(NEW)["Record"] == headers.view(NEW)["Record_Duplicate"],
        "shore": _shore(headers.view(SHORE)),
    }
    counts = {name: int(np.count_nonzero(vote)) for name, vote in votes.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] else "shore"


def _calendar(head: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return where bytes 24 to 31 are a date; the seconds of this century never look like one."""
    year = (head["Year"] >= _FIRST_YEAR) & (head["Year"] <= _LAST_YEAR)
    day = (head["yDay"] >= 1) & (head["yDay"] <= 366)
    return np.asarray(year & day & (head["Hour"] < 24) & (head["Min"] < 60) & (head["Sec"] < 61))


def _shore(head: NDArray[np.void]) -> NDArray[np.bool_]:
    apart = np.abs(head["Shore_tSec"].astype(np.int64) - head["tSec"].astype(np.int64))
    return np.asarray((apart <= _SHORE_APART_S) & (head["Shore_ms"] < 1000))


def complaint(raw: bytes) -> str:
    """Return what is wrong with the 36 bytes of an implausible header: found and wanted."""
    old, new = np.frombuffer(raw, OLD)[0], np.frombuffer(raw, NEW)[0]
    size, number = int(old["SampleSize"]), int(old["Record"])
    if number not in (int(old["Record_Duplicate"]), int(new["Record_Duplicate"])):
        repeats = f"{int(new['Record_Duplicate'])} and {int(old['Record_Duplicate'])}"
        return (
            f"no record header of an ACO file: found number {number} repeated as {repeats}, "
            "wanted it repeated, or counted on by a neighbour"
        )
    if not timed(np.frombuffer(raw, OLD))[0]:
        return (
            f"clock: found tSec {int(old['tSec'])}, tuSec {int(old['tuSec'])}, timecount "
            f"{int(old['timecount'])}; wanted a time from 2000 to 2100"
        )
    return f"sample size: found {size} bits, wanted 1 to {MAX_BITS}"
