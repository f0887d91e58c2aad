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

_CLOCK = [(name, "<u4") for name in ("tSec", "tuSec", "timecount", "AtSec", "AtnSec")]

OLD: Final = np.dtype(
    [
        ("Record", "<u4"),
        *[(name, "u1") for name in ("Decimation", "ID", "Sync1", "Sync2")],
        ("Record_Duplicate", "<u4"),
        *_CLOCK,
        *[(name, "u1") for name in ("StatusByte1", "StatusByte2", "DynamicRangeBitsFile")],
        ("SampleSize", "u1"),
    ]
)
"""Layout of files before 2016-12-06 02:10 UTC."""

NEW: Final = np.dtype(
    [
        ("Record", "<u4"),
        ("Record_Duplicate", "<u4"),
        *[(name, "u1") for name in ("Sync1", "Sync2", "StatusByte1", "StatusByte2")],
        *_CLOCK,
        *[(name, "u1") for name in ("CorrectionOffset_HnSec", "ID", "LeftRightFlag")],
        ("SampleSize", "u1"),
    ]
)
"""Layout of files from 2016-12-06 02:10 UTC on."""

LAYOUTS: Final = {"old": OLD, "new": NEW}

# A header's clock outside these years is damage, not time.  The hydrophone first
# recorded in 2011; test feeds and other recorders may want some room around that.
NUMBERS: Final = 1 << 32
"""The record number is an unsigned 32-bit count that wraps."""

EARLIEST_S: Final = 946_684_800  # 2000-01-01
LATEST_S: Final = 4_102_444_800  # 2100-01-01


def plausible(headers: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which headers can be true, `(n,) OLD or NEW → (n,) bool`.

    True means: the record number is repeated where one of the layouts repeats
    it, the sample size is 1 to 32 bits, and the clock is a time of this century.
    """
    old, new = headers.view(OLD), headers.view(NEW)
    repeated = (old["Record"] == old["Record_Duplicate"]) | (
        new["Record"] == new["Record_Duplicate"]
    )
    width = (old["SampleSize"] >= 1) & (old["SampleSize"] <= MAX_BITS)
    century = (old["tSec"] >= EARLIEST_S) & (old["tSec"] < LATEST_S)
    fractions = (old["tuSec"] < 1_000_000) & (old["timecount"] < 10_000_000)
    return np.asarray(repeated & width & century & fractions)


def layout_of(headers: NDArray[np.void]) -> str:
    """Return "old" or "new": where most of the headers repeat their record number."""
    old, new = headers.view(OLD), headers.view(NEW)
    votes_old = np.count_nonzero(old["Record"] == old["Record_Duplicate"])
    votes_new = np.count_nonzero(new["Record"] == new["Record_Duplicate"])
    return "new" if votes_new > votes_old else "old"


def complaint(header: NDArray[np.void]) -> str:
    """Return what is wrong with one implausible header: found and wanted."""
    old, new = header.view(OLD), header.view(NEW)
    size, number = int(old["SampleSize"]), int(old["Record"])
    if number not in (int(old["Record_Duplicate"]), int(new["Record_Duplicate"])):
        repeats = f"{int(new['Record_Duplicate'])} and {int(old['Record_Duplicate'])}"
        return f"no record header of an ACO file: found number {number} repeated as {repeats}"
    if not 1 <= size <= MAX_BITS:
        return f"sample size: found {size} bits, wanted 1 to {MAX_BITS}"
    return (
        f"clock: found tSec {int(old['tSec'])}, tuSec {int(old['tuSec'])}, timecount "
        f"{int(old['timecount'])}; wanted a time from 2000 to 2100"
    )
