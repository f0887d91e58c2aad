"""What a demonstration showed, in lines (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from acoio.simulate import Truth
from daemon.bus.wire import event_from_json
from detector.scoring.match import Matched, match, within

_BAR: Final = 20


def report(
    events: Sequence[Mapping[str, Any]],
    scores: Sequence[Mapping[str, Any]],
    truth: Sequence[Truth],
    *,
    page: str,
    wall_s: float,
) -> Iterator[str]:
    """Yield the lines that say how fast it was and what it found of the truth."""
    if not scores:
        yield "No sound was scored: it is shorter than what the model must hear first."
        return
    begin = datetime.fromisoformat(scores[0]["begin"])
    end = datetime.fromisoformat(scores[-1]["end"])
    scored = within(truth, begin, end)
    matched = match([event_from_json(event) for event in events], scored)
    yield from _speed(page, wall_s)
    unscored = len([row for row in truth if row.kind == "call"]) - _calls(scored)
    yield f"The first sounds, before {begin:%H:%M:%S}, only taught it what is usual;"
    yield f"calls outside of what was scored do not count: {unscored}."
    yield ""
    yield from _table(matched)
    hits, other, false = len(matched.hits), len(matched.other), len(matched.false)
    yield f"{len(events)} events: {hits} on calls, {other} on ships or gear, {false} on nothing."
    yield "(Of an hour's events at most alerts.most_per_hour are sent; all are kept.)"
    quiet = _quiet_minutes(scored, begin, end)
    yield f"In {quiet:.1f} of {_minutes(begin, end):.1f} minutes there was nothing to hear."


def _quiet_minutes(truth: Sequence[Truth], begin: datetime, end: datetime) -> float:
    """Return how long nothing sounded: what false alarms are to be held against."""
    quiet, until = 0.0, begin
    for row in sorted(truth, key=lambda row: row.begin):
        quiet += max(_minutes(until, row.begin), 0.0)
        until = max(until, row.end)
    return quiet + max(_minutes(until, end), 0.0)


def _minutes(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 60


def _speed(page: str, wall_s: float) -> Iterator[str]:
    values = _values(page)
    sound_s = values["kilokai_scored_seconds_total"]
    own = values["kilokai_times_real_time_ratio"]
    yield f"Scored {sound_s:.0f} s of sound: {own:.0f} times real time by the daemon's own work,"
    by_wall = sound_s / wall_s
    yield f"{by_wall:.0f} times real time by the wall clock (a file a second is about 300)."


def _values(page: str) -> dict[str, float]:
    families = text_string_to_metric_families(page)
    return {s.name: s.value for family in families for s in family.samples if not s.labels}


def _calls(truth: Sequence[Truth]) -> int:
    return sum(row.kind == "call" for row in truth)


def _table(matched: Matched) -> Iterator[str]:
    """Yield calls found by SNR."""
    yield "   SNR   calls  found  only noticed"
    for snr_db, found, noticed, calls in matched.by_snr():
        bar = "#" * round(_BAR * found / calls)
        yield f"{snr_db:+4d} dB  {calls:5d}  {found:5d}  {noticed - found:12d}  {bar}"
    found, calls = len(matched.found), len(matched.found) + len(matched.missed)
    yield f"    all  {calls:5d}  {found:5d}  {len(matched.noticed) - found:12d}"
    yield "(found: an event at its time and in its band; noticed: at its time)"
    yield ""
