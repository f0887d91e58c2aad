"""What a demonstration showed, in lines (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from acoio.simulate import Truth
from daemon.wire import event_from_json
from detector.match import Matched, match, within

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
    matched = match([event_from_json(event) for event in events], truth)
    yield from _speed(page, wall_s)
    unscored = len([row for row in truth if row.kind == "call"]) - _calls(scored)
    yield f"The first sounds, before {begin:%H:%M:%S}, only taught it what is usual;"
    yield f"calls outside of what was scored do not count: {unscored}."
    yield ""
    yield from _table(matched, scored)
    hours = (end - begin).total_seconds() / 3600
    hits, other, false = len(matched.hits), len(matched.other), len(matched.false)
    yield (
        f"{len(events)} events: {hits} on calls, {other} on ships or gear, {false} on nothing"
        f" ({false / hours:.1f} an hour)"
    )


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


def _table(matched: Matched, scored: Sequence[Truth]) -> Iterator[str]:
    """Yield calls found by SNR, counting only those that were scored."""
    counted = Matched(
        found=tuple(call for call in matched.found if call in scored),
        missed=tuple(call for call in matched.missed if call in scored),
        hits=(), other=(), false=(),
    )  # fmt: skip
    yield "   SNR   calls  found"
    for snr_db, found, calls in counted.by_snr():
        bar = "#" * round(_BAR * found / calls)
        yield f"{snr_db:+4d} dB  {calls:5d}  {found:5d}  {bar}"
    yield f"    all  {_calls(scored):5d}  {len(counted.found):5d}"
    yield ""
