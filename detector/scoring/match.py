"""Events against the truth: what was found, missed, and heard without cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from acoio.simulate import Truth
from detector.values import Event


@dataclass(frozen=True, slots=True)
class Matched:
    """Calls found and missed, and events by cause.

    A call is `found` if an event overlaps it in time and in band, and `noticed`
    if one does in time.  `hits` overlap a call in time, `other` only ships or
    gear, `false` nothing at all.
    """

    found: tuple[Truth, ...]
    missed: tuple[Truth, ...]
    noticed: tuple[Truth, ...]
    hits: tuple[Event, ...]
    other: tuple[Event, ...]
    false: tuple[Event, ...]

    def by_snr(self) -> list[tuple[int, int, int, int]]:
        """Return SNR (dB, rounded), calls found, noticed and in all, by rising SNR."""
        found, noticed, missed = (
            Counter(round(call.snr_db) for call in calls)
            for calls in (self.found, self.noticed, self.missed)
        )
        return [
            (snr, found[snr], noticed[snr], found[snr] + missed[snr])
            for snr in sorted(found | missed)
        ]


def match(events: Sequence[Event], truth: Sequence[Truth]) -> Matched:
    """Return which calls events overlap, and what each event overlaps."""
    calls = [row for row in truth if row.kind == "call"]
    found = tuple(c for c in calls if any(_in_time(c, e) and _in_band(c, e) for e in events))
    hits = tuple(event for event in events if any(_in_time(event, c) for c in calls))
    rest = [event for event in events if event not in hits]
    other = tuple(event for event in rest if any(_in_time(event, row) for row in truth))
    return Matched(
        found=found,
        missed=tuple(call for call in calls if call not in found),
        noticed=tuple(c for c in calls if any(_in_time(c, e) for e in events)),
        hits=hits,
        other=other,
        false=tuple(event for event in rest if event not in other),
    )


def within(truth: Sequence[Truth], begin: datetime, end: datetime) -> tuple[Truth, ...]:
    """Return the truth without calls that begin outside of a span: these were never scored."""
    return tuple(row for row in truth if row.kind != "call" or begin <= row.begin < end)


def _in_time(span: Event | Truth, other: Event | Truth) -> bool:
    return span.begin < other.end and other.begin < span.end


def _in_band(span: Event | Truth, other: Event | Truth) -> bool:
    return span.low_hz < other.high_hz and other.low_hz < span.high_hz
