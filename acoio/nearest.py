"""Where the nearest sound to an instant is, and which nearer files give none, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from acoio.catalogue import Catalogue, Found
from acoio.clock import from_us
from acoio.errors import NotReadyError
from acoio.tracks import Tracks

_MINUTE: Final = timedelta(minutes=1)
_MOST: Final = 50  # files looked into, each way
_TOLD: Final = 3  # of those that give no sound


def nearest_sound(catalogue: Catalogue, tracks: Tracks, when: datetime) -> str:
    """Return where the last sound before a time is and the first after, as text."""
    told = [
        _told("the last before", islice(_before(catalogue, when), _MOST), tracks),
        _told("the first after", islice(_after(catalogue, when), _MOST), tracks),
    ]
    return "; ".join(text for text in told if text) or "none at all"


def fault_of(found: Found, tracks: Tracks) -> str:
    """Return why a file gives no sound, or nothing."""
    try:
        return tracks.track(found).fault
    except NotReadyError as error:
        return str(error)


def _told(which: str, files: Iterator[Found], tracks: Tracks) -> str:
    faults: list[str] = []
    for found in files:
        fault = fault_of(found, tracks)
        if not fault:
            return "; ".join([*_few(faults), f"{which}, {_span(found, tracks)}"])
        faults.append(f"{found.path}, unreadable: {fault.removeprefix(f'{found.path}: ')}")
    return "; ".join(_few(faults))


def _few(faults: list[str]) -> list[str]:
    more = [f"and {len(faults) - _TOLD} more unreadable"] if len(faults) > _TOLD else []
    return faults[:_TOLD] + more


def _before(catalogue: Catalogue, when: datetime) -> Iterator[Found]:
    while found := catalogue.nearest(when)[0]:
        minute = _minute(found)
        yield from (x for x in reversed(catalogue.named(minute, minute)) if x.name.begin < when)
        when = minute


def _after(catalogue: Catalogue, when: datetime) -> Iterator[Found]:
    while found := catalogue.nearest(when)[1]:
        minute = _minute(found)
        yield from (x for x in catalogue.named(minute, minute) if x.name.begin >= when)
        when = minute + _MINUTE


def _minute(found: Found) -> datetime:
    return found.name.begin.replace(second=0, microsecond=0)


def _span(found: Found, tracks: Tracks) -> str:
    span = tracks.ends(found).span_us
    if span is None:
        return f"{found.path}"
    return f"{found.path}, {from_us(span[0])} to {from_us(span[1])}"
