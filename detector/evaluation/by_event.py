"""Events against calls, in time and in band: what a person who gets the messages would say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import chi2

from acoio.clock import from_us
from acoio.simulate import Truth
from detector.calibration.intervals import CONFIDENCE
from detector.evaluation.measures import ALL, Share, share_of
from detector.evaluation.values import Scored
from detector.scoring.match import match
from detector.values import Event, Span


@dataclass(frozen=True, slots=True)
class Caught:
    """Calls that an event overlaps in time and band (`found`), or in time (`noticed`)."""

    name: str
    found: Share
    noticed: Share


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many hours, and per hour with an exact Poisson interval."""

    count: int
    hours: float
    per_hour: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EventMeasures:
    """Events at the model's own threshold.

    `hits` lie on calls, `other` on ships or the gear alone, `false` on nothing: in quiet
    spans where there are any, and of a rate in their hours (None if one background was
    heard again and again); `untold` lie where nobody said what sounds.
    """

    threshold: float
    groups: tuple[Caught, ...]
    hits: int
    other: int
    false: Rate | None
    untold: int


def measure_events(pieces: Sequence[Scored], *, threshold: float) -> EventMeasures | None:
    """Return how events and calls meet, or None if the pieces have no events."""
    groups: dict[str, list[tuple[bool, bool]]] = {}
    hits = other = false = untold = 0
    quiet_h = 0.0
    for scored in pieces:
        if scored.events is None:
            return None
        calls = [call.truth for call in scored.calls() if not call.nothing]
        every = [call.truth for call in scored.piece.calls if not call.nothing]
        matched = match(scored.events, calls)
        for call in calls:
            for name in (ALL, call.label, *_snr(call)):
                caught = (call in matched.found, call in matched.noticed)
                groups.setdefault(name, []).append(caught)
        causes = match(scored.events, [*every, *scored.piece.others])
        hits, other = hits + len(causes.hits), other + len(causes.other)
        inside, outside = _parted(causes.false, _heard(scored))
        if scored.piece.quiet or not scored.piece.told:
            false, untold = false + inside, untold + outside
            quiet_h += _hours(_heard(scored))
        else:
            false, quiet_h = false + inside + outside, quiet_h + scored.hours()
    if len({scored.piece.name for scored in pieces}) < len(pieces):
        quiet_h = 0.0  # one background heard again and again makes no rate
    return EventMeasures(
        threshold=threshold,
        groups=tuple(_caught(name, rows) for name, rows in _ordered(groups)),
        hits=hits,
        other=other,
        false=_rate(false, quiet_h) if quiet_h else None,
        untold=untold,
    )


def events_in(scored: Scored, span: Span) -> list[Event]:
    """Return the events of a piece that share time with a span and with no call."""
    calls = [call.truth for call in scored.piece.calls if not call.nothing]
    alone = match(scored.events or (), calls).false
    return [event for event in alone if event.begin < span[1] and span[0] < event.end]


def _parted(events: Sequence[Event], spans: Sequence[Span]) -> tuple[int, int]:
    inside = sum(any(e.begin < end and begin < e.end for begin, end in spans) for e in events)
    return inside, len(events) - inside


def _heard(scored: Scored) -> list[Span]:
    """Return the quiet spans as far as windows were scored."""
    first, last = from_us(int(scored.begins_us[0])), from_us(int(scored.ends_us[-1]))
    spans = [(max(begin, first), min(end, last)) for begin, end in scored.piece.quiet]
    return [(begin, end) for begin, end in spans if begin < end]


def _hours(spans: Iterable[Span]) -> float:
    return sum((end - begin).total_seconds() for begin, end in spans) / 3600


def _snr(call: Truth) -> tuple[str, ...]:
    return () if call.snr_db != call.snr_db else (f"{call.snr_db:+.0f} dB",)


def _ordered(
    groups: dict[str, list[tuple[bool, bool]]],
) -> list[tuple[str, list[tuple[bool, bool]]]]:
    """Return groups as `measures` orders them: all, kinds by name, SNRs rising."""

    def key(name: str) -> tuple[int, float, str]:
        if name == ALL:
            return 0, 0.0, ""
        snr = name.endswith(" dB") and name[0] in "+-"
        return (2, float(name[:-3]), "") if snr else (1, 0.0, name)

    return sorted(groups.items(), key=lambda item: key(item[0]))


def _caught(name: str, rows: Sequence[tuple[bool, bool]]) -> Caught:
    found, noticed = (share_of(sum(column), len(rows)) for column in zip(*rows, strict=True))
    return Caught(name, found, noticed)


def _rate(count: int, hours: float) -> Rate:
    """Return a rate with Garwood's interval.

    Source: Garwood, Biometrika 28, 1936.
    """
    tail = (1 - CONFIDENCE) / 2
    low = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    high = float(chi2.ppf(1 - tail, 2 * count + 2)) / 2
    return Rate(count, hours, count / hours, low / hours, high / hours)
