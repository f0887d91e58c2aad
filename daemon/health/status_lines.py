"""The status as an operator sees it (pure): one screen of 80 columns or more, and 24 lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from daemon.errors import plain
from daemon.show import HEADING, event_line

_COLUMNS: Final = 80
_LINES: Final = 24
_ASIDE: Final = 2  # files set aside that are told of
_COMPLAINTS: Final = 2
_LABEL: Final = 10
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))
_MORE: Final = "see --json"
_Json = Mapping[str, Any]


def status_lines(found: _Json, columns: int = _COLUMNS) -> list[str]:
    """Return the lines of a status: as many of the last events as the screen has room for."""
    head = [*_head(found), ""]
    facts = _fitted(found, columns, most=2)
    if len(head) + len(facts) > _LINES:
        facts = _fitted(found, columns, most=1)
    lines = [*head, *facts][:_LINES]
    room = _LINES - len(lines) - 2  # an empty line, and the heading
    last = found["events"]["last"][-room:] if room > 0 else []
    return [*lines, "", HEADING, *map(event_line, last)] if last else lines


def _head(found: _Json) -> Iterator[str]:
    """Yield in a word whether it is well, and why it is not."""
    if found["daemon"]["finished"]:
        yield "finished: all that was there is done"
    else:
        yield "well" if found["well"] else f"NOT WELL: {found['state']}"
    for k, complaint in enumerate(found["complaints"][:_COMPLAINTS]):
        line, most = f"  ! {plain(complaint)}", 1 if k else 2  # the worst has room for its why
        yield from textwrap.wrap(line, _COLUMNS, subsequent_indent=" " * 4, max_lines=most)
    if len(found["complaints"]) > _COMPLAINTS:
        yield f"  ! and {len(found['complaints']) - _COMPLAINTS} more: {_MORE}"


def _facts(found: _Json) -> Iterator[str]:
    for name, text in (*_of_sound(found), *_of_scoring(found), *_of_station(found)):
        yield f"{name:<{_LABEL}}{text}"


def _of_sound(found: _Json) -> Iterator[tuple[str, str]]:
    daemon, heard = found["daemon"], found["heard"]
    if daemon["running"]:
        yield "daemon", f"runs as process {daemon['pid']} since {_minute(daemon['started'])}"
    elif daemon["finished"]:
        yield "daemon", f"none runs; the run ended at {_minute(daemon['stopped'])}"
    if daemon["station"] and daemon["drop"]:
        yield "station", f"{daemon['station']}, from {plain(daemon['drop'])}"
    if heard["heard_at"]:
        speed = heard["times_real_time"]
        at = f"; {speed:.0f} times real time" if speed else ""
        yield "heard", f"last at {_time(heard['heard_at'])}{at}"
    if heard["newest_scored"]:
        yield "scored", f"up to {_time(heard['newest_scored'])}, {duration(heard['lag_s'])} ago"
    yield "backlog", _backlog(found["backlog"])
    counts = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in found["files"].items())
    yield "files", f"{counts}; {duration(found['damaged_seconds'])} of sound damaged"
    yield from (("", line) for line in _set_aside(found))


def _of_scoring(found: _Json) -> Iterator[tuple[str, str]]:
    if found["model"]:
        since = found.get("model_since")
        came = f" since {_minute(since)}" if since else ""
        source = f", from {found['model_from']}{came}" if found.get("model_from") else ""
        yield "model", f"{found['model']}, threshold {found['threshold']:.1f} nats{source}"
    events = found["events"]
    severities = ", ".join(f"{n} {severity}" for severity, n in events["by_severity"].items())
    today = f"{events['today']} today ({events['timezone']}): {severities}"
    yield "alarms", f"{today}; {events['all']} in all"
    if found.get("alarms"):
        yield "rate", _rate(found["alarms"])
    if found.get("drift"):
        yield "drift", _drift(found["drift"])
    if found.get("retrain"):
        yield "retrain", _retrain(found["retrain"])


def _of_station(found: _Json) -> Iterator[tuple[str, str]]:
    ledger, disk, daemon = found["ledger"], found["disk"], found["daemon"]
    messages = f"messages {ledger['oldest']} to {ledger['sequence']} of epoch {ledger['epoch']}"
    address = f", at {daemon['bus'][0]}" if daemon["bus"] and daemon["running"] else ""
    yield "bus", messages + address
    if ledger["because"]:
        yield "", f"begun anew {_minute(ledger['begun'])}: {plain(ledger['because'])}"
    room = f"{disk['free_bytes'] / 1e9:.1f} of {disk['total_bytes'] / 1e9:.1f} GB free"
    yield "disk", f"{room}; ledger {ledger['bytes'] / 1e6:.1f} MB"
    if waiting := (found.get("config") or {}).get("restart_for"):
        yield "config", f"a restart is wanted for {', '.join(waiting)}"


def _backlog(backlog: _Json) -> str:
    if not backlog["files"]:
        return "none"
    left = backlog["left_s"]
    until = "time left unknown" if left is None else f"about {duration(left)} left"
    return f"{backlog['files']} files, {duration(backlog['seconds'])} of sound, {until}"


def _set_aside(found: _Json) -> Iterator[str]:
    aside = found["set_aside"]
    for file in aside[:_ASIDE]:
        yield f"- {plain(file['name'])}: {plain(file['reason'])}"
    if len(aside) > _ASIDE:
        yield f"- and {len(aside) - _ASIDE} more set aside: {_MORE}"


def _rate(alarms: _Json) -> str:
    spans = [f"{_span(alarms[span])} in a {span}" for span in ("day", "week") if alarms.get(span)]
    achieved = ", ".join(spans) or "what is achieved is not known yet"
    return f"{alarms['promised_per_hour']:g} an hour promised; {achieved}"


def _span(found: _Json) -> str:
    return f"{found['per_hour']:.2g} ({found['low']:.2g} to {found['high']:.2g})"


def _drift(drift: _Json) -> str:
    score, level = drift["score"]["ratio"], drift["level"]["ratio"]
    words = "as calibrated" if max(score, level) <= 1 else "DRIFTED"
    return f"{words}: scores {score:.1f} and levels {level:.1f} times what chance explains"


def _retrain(state: _Json) -> str:
    if state["state"] == "running":
        return f"runs since {_minute(state['begin'])}"
    if state["outcome"] == "accepted":
        return f"accepted {_minute(state['end'])}"
    why = f": {plain(state['reasons'][0])}" if state["reasons"] else ""
    return f"{state['outcome'].replace('_', ' ')} {_minute(state['end'])}{_again(state)}{why}"


def _again(state: _Json) -> str:
    dry, row = state["too_little_in_a_row"], state["refused_in_a_row"]
    match state["outcome"]:
        case "too_little" if dry > 1:
            return f", {dry} in a row"
        case "refused" | "failed" if row > 1:
            return f", no. {row} since one was accepted"
    return ""


def duration(seconds: float) -> str:
    """Return a span of time in its largest fitting unit, as "1.5 h"."""
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _fitted(found: _Json, columns: int, *, most: int) -> list[str]:
    """Return the facts, each in so many lines at most, and cut where they do not do."""
    hang = " " * _LABEL
    return [
        line
        for fact in _facts(found)
        for line in textwrap.wrap(
            fact, columns, subsequent_indent=hang, max_lines=most, placeholder=" …"
        )
    ]


def _time(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S}"


def _minute(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M}"
