"""The status as an operator sees it (pure): one screen of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from daemon.errors import plain
from daemon.show import HEADING, event_line

_COLUMNS: Final = 80
_INDENT: Final = " " * 12
_ASIDE: Final = 3  # files set aside that are told of
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))
_Json = Mapping[str, Any]


def status_lines(found: _Json) -> Iterator[str]:
    """Yield the lines of a status."""
    for line in _all(found):
        yield from textwrap.wrap(line, _COLUMNS, subsequent_indent=_INDENT) or [""]


def _all(found: _Json) -> Iterator[str]:
    yield "well" if found["well"] else "NOT WELL"
    for complaint in found["complaints"]:
        yield from textwrap.wrap(f"  ! {plain(complaint)}", _COLUMNS, subsequent_indent=" " * 4)
    yield ""
    yield from (f"{name:<10}{text}" for name, text in _facts(found))
    events = found["events"]
    yield f"{'events':<10}{events['all']}, {events['today']} of them today (UTC)"
    if events["last"]:
        yield ""
        yield HEADING
        yield from map(event_line, events["last"])


def _facts(found: _Json) -> Iterator[tuple[str, str]]:
    daemon, heard, ledger = found["daemon"], found["heard"], found["ledger"]
    if daemon["running"]:
        yield "daemon", f"runs as process {daemon['pid']} since {_short(daemon['started'])}"
    if daemon["station"]:
        yield "station", f"{daemon['station']}, from {daemon['drop']}"
    if heard["newest_scored"]:
        ago = duration(heard["lag_s"])
        yield "scored", f"up to {_short(heard['newest_scored'])}, {ago} ago"
    yield "backlog", _backlog(found["backlog"])
    counts = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in found["files"].items())
    yield "files", f"{counts}; {duration(found['damaged_seconds'])} of sound damaged"
    yield from (("", line) for line in _set_aside(found))
    if found["model"]:
        came_from = f", from {found['model_from']}" if found["model_from"] else ""
        yield "model", f"{found['model']}, threshold {found['threshold']:.1f} nats{came_from}"
    yield (
        "ledger",
        (
            f"epoch {ledger['epoch']}, messages {ledger['oldest']} to {ledger['sequence']}, "
            f"{ledger['bytes'] / 1e6:.1f} MB"
        ),
    )
    if ledger["because"]:
        yield "", f"begun anew {_short(ledger['begun'])}: {ledger['because']}"
    disk = found["disk"]
    yield "disk", f"{disk['free_bytes'] / 1e9:.1f} of {disk['total_bytes'] / 1e9:.1f} GB free"


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
        yield f"- and {len(aside) - _ASIDE} more set aside: see --json"


def duration(seconds: float) -> str:
    """Return a span of time in its largest fitting unit, as "1.5 h"."""
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _short(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S}"
