"""What a person sees: events as lines, and progress bars."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import RLock
from types import TracebackType
from typing import Any, Final, TypeVar

from rich.console import Console
from rich.progress import Progress

from daemon.errors import plain

_T = TypeVar("_T")
_COLUMNS: Final = 80
_ID_LETTERS: Final = 8
HEADING: Final = "id       begin (UTC)          len (s)   band (Hz)   dB  score severity state"


def event_line(event: Mapping[str, Any]) -> str:
    """Return an event in a line of at most 80 columns, what a terminal would obey escaped.

    Raises
    ------
    LookupError, TypeError, ValueError, AttributeError
        If it is no event by its schema.
    """
    begin = datetime.fromisoformat(event["begin"])
    length_s = (datetime.fromisoformat(event["end"]) - begin).total_seconds()
    band = f"{event['low_hz']:.0f}-{event['high_hz']:.0f}"
    state = event.get("verdict", {}).get("verdict", event["status"])
    return plain(
        f"{event['id'][:_ID_LETTERS]} {begin:%Y-%m-%d %H:%M:%S} {length_s:8.1f} {band:>11} "
        f"{event['level_db']:+4.0f} {event['score']:6.1f} {event['severity']:<8} {state}"
    )


def event_page(
    event: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]], evidence: Mapping[str, str]
) -> Iterator[str]:
    """Yield the lines that tell all of an event, at most 80 columns wide."""
    begin, peak, end = (datetime.fromisoformat(event[name]) for name in ("begin", "peak", "end"))
    yield f"event     {event['id']}, {event['status']}"
    yield f"begin     {begin:%Y-%m-%d %H:%M:%S.%f} UTC"
    yield f"peak      {peak:%Y-%m-%d %H:%M:%S.%f} UTC"
    yield f"end       {end:%Y-%m-%d %H:%M:%S.%f} UTC, {(end - begin).total_seconds():.1f} s"
    yield f"band      {event['low_hz']:.1f} to {event['high_hz']:.1f} Hz"
    yield f"peak at   {event['peak_hz']:.1f} Hz, {event['level_db']:+.1f} dB above its background"
    yield (
        f"score     {event['score']:.2f} nats at the peak, {event['mean_score']:.2f} in the mean; "
        f"threshold {event['threshold']:.2f}"
    )
    yield f"severity  {event['severity']}"
    if "bout" in event:
        first = event["bout"] == event["id"]
        yield f"bout      {event['bout']}{', of which it is the first' if first else ''}"
    yield from _wrapped("model", event["model"])
    yield from _wrapped("file", f"{plain(event['file'])}, sample {event['sample']}")
    for kind in ("clip", "picture"):
        if kind in event:
            yield from _wrapped(kind, event[kind])
            yield f"          {evidence.get(kind, 'never wanted')}"
    for said in verdicts:
        what = f", {said['call_type']}" if said["call_type"] else ""
        who = f" by {said['who']}" if said["who"] else ""
        yield from _wrapped("verdict", f"{said['verdict']}{what}{who}, {said['at'][:19]}Z")
        if said["note"]:
            yield from _wrapped("", said["note"])


def _wrapped(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, _COLUMNS, initial_indent=f"{name:<10}", subsequent_indent=" " * 10)


class Bar:
    """How far long work is, on standard error where that is a terminal; gone at the end.

    What else is written to the terminal meanwhile is written while it is `hidden`.
    """

    def __init__(self, what: str, total: float) -> None:
        console = Console(stderr=True)
        self._lock = RLock()  # log lines come from other threads as well
        self._is_shown = False
        self._progress = Progress(
            console=console,
            disable=not console.is_terminal,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(what, total=total)

    def __enter__(self) -> Bar:
        self._is_shown = True
        self._progress.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._is_shown = False
        self._progress.stop()

    def reach(self, done: float, total: float | None = None) -> None:
        """Show that so much is done, maybe of another total."""
        with self._lock:
            self._progress.update(self._task, completed=done, total=total, refresh=True)

    def over(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield items, and show how many are done."""
        for k, item in enumerate(items, start=1):
            yield item
            self.reach(k)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take it away while a line is written, and show it below that."""
        with self._lock:
            self._progress.stop()
            try:
                yield
            finally:
                if self._is_shown:
                    self._progress.start()


def with_bar(items: Iterable[_T], what: str, total: float) -> Iterator[_T]:
    """Yield items under a progress bar; nothing else is written meanwhile."""
    with Bar(what, total) as bar:
        yield from bar.over(items)
