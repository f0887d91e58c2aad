"""What a person sees: events as lines, and progress bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from rich.console import Console
from rich.progress import track

_T = TypeVar("_T")
HEADING: Final = "begin (UTC)             length     band (Hz)   level   score  severity  state"


def event_line(event: Mapping[str, Any]) -> str:
    """Return an event in a line of at most 80 columns."""
    begin = datetime.fromisoformat(event["begin"])
    length_s = (datetime.fromisoformat(event["end"]) - begin).total_seconds()
    band = f"{event['low_hz']:.0f}-{event['high_hz']:.0f}"
    return (
        f"{begin:%Y-%m-%d %H:%M:%S}  {length_s:7.1f} s  {band:>12}  {event['level_db']:+4.0f} dB"
        f"  {event['score']:6.1f}  {event['severity']:<8}  {event['status']}"
    )


def with_bar(items: Iterable[_T], what: str, total: float) -> Iterator[_T]:
    """Yield items under a progress bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    yield from track(
        items, what, total=total, console=console, disable=not console.is_terminal, transient=True
    )
