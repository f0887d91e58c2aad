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

    `hits` overlap a call, `other` only ships or gear, `false` nothing at all.
    """

    found: tuple[Truth, ...]
    missed: tuple[Truth, ...]
    hits: tuple[Event, ...]
    other: tuple[Event, ...]
    false: tuple[Event, ...]

    def by_snr(self) -> list[tuple[int, int, int]]:
        """Return SNR (dB, rounded), calls found and calls in all, by rising SNR."""
        found = Counter(round(call.snr_db) for call in self.found)
        missed = Counter(round(call.snr_db) for call in self.missed)
        return [(snr, found[snr], found[snr] + missed[snr]) for snr in sorted(found | missed)]


def match(events: Sequence[Event], truth: Sequence[Truth]) -> Matched:
    """Return which calls an event overlaps in time, and what each event overlaps."""
    calls = [row for row in truth if row.kind == "call"]
    found = tuple(call for call in calls if _overlapping(call, events))
    hits = tuple(event for event in events if _overlapping(event, calls))
    rest = [event for event in events if event not in hits]
    other = tuple(event for event in rest if _overlapping(event, truth))
    return Matched(
        found=found,
        missed=tuple(call for call in calls if call not in found),
        hits=hits,
        other=other,
        false=tuple(event for event in rest if event not in other),
    )


def within(truth: Sequence[Truth], begin: datetime, end: datetime) -> tuple[Truth, ...]:
    """Return the truth that begins within a span: what lies outside was never scored."""
    return tuple(row for row in truth if begin <= row.begin < end)


def _overlapping(span: Event | Truth, others: Sequence[Event | Truth]) -> bool:
    return any(span.begin < other.end and other.begin < span.end for other in others)
