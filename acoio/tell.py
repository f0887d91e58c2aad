"""What a load warns of: files that claim the same time, and files that give no sound."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from acoio.catalogue import Found
from acoio.chain import Overlap
from acoio.clock import to_us
from acoio.errors import DamageWarning
from acoio.join import OverlapWarning
from acoio.sound import Gap

_FILE: Final = timedelta(minutes=5)  # what a file holds, within a second
_CALLER: Final = 4  # who called `load`, which called what called this


def tell_overlap(overlap: Overlap, begin_us: int, end_us: int) -> None:
    """Warn of an overlap in a span, unless it is of a copy beside its recording."""
    if not overlap.of_copy and begin_us < to_us(overlap.end) and to_us(overlap.begin) < end_us:
        text = (
            f"{overlap.file}: {overlap.seconds:.3f} s from {overlap.begin} on are also in "
            f"{overlap.kept}, which was kept"
        )
        warnings.warn(text, OverlapWarning, stacklevel=_CALLER)


def tell_silent(found: Found, fault: str, gaps: Iterable[Gap]) -> None:
    """Warn of a file that gives no sound, if there is a gap at the time in its name."""
    first, last = found.name.begin, found.name.begin + _FILE
    if any(gap.begin < last and first < gap.end for gap in gaps):
        reason = fault.removeprefix(f"{found.path}: ")
        text = f"{found.path}: gives no sound, so there is a gap: {reason}"
        warnings.warn(text, DamageWarning, stacklevel=_CALLER)
