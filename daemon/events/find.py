"""The events of a store with what was said of them: which ones, in order, by an id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from acoio.errors import DataError
from daemon.events.query import Filter, count_of, events_of
from daemon.ledger.stored import reading
from detector.values import Span

_LEAST_PREFIX: Final = 4
_NAMED: Final = 5  # of several that one prefix may mean
_Json = Mapping[str, Any]


def listed(store: Path, wanted: Filter | None = None, limit: int | None = None) -> list[Any]:
    """Return the newest revision of events, by their begin; of too many the last ones.

    Raises
    ------
    SetupError, NotReadyError
        As `reading`.
    """
    return list(found(store, wanted, limit))


def found(
    store: Path, wanted: Filter | None = None, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield what `listed` returns, however much that is.

    Raises
    ------
    SetupError, NotReadyError
        As `reading`.
    """
    with reading(store) as database:
        yield from events_of(database, wanted or Filter(), limit)


def stored_verdicts(store: Path, event_id: str) -> list[dict[str, Any]]:
    """Return every verdict on an event, the newest last.

    Raises
    ------
    SetupError, NotReadyError
        As `reading`.
    """
    with reading(store) as database:
        query = "SELECT json FROM verdicts WHERE event_id = ? ORDER BY at, json"
        return [json.loads(text) for (text,) in database.execute(query, (event_id,))]


def stored_evidence(store: Path, event_id: str) -> dict[str, str]:
    """Return the state of each kind of evidence of an event: pending, made, gone, ...

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    with reading(store) as database:
        query = "SELECT kind, state FROM evidence WHERE event_id = ?"
        return dict(database.execute(query, (event_id,)).fetchall())


def one_of(store: Path, prefix: str) -> _Json:
    """Return the one event whose id begins so, in letters of either case.

    Raises
    ------
    DataError
        If there is none, or more than one.
    SetupError, NotReadyError
        As `reading`.
    """
    if len(prefix) < _LEAST_PREFIX:
        raise DataError(f"event: found {prefix!r}, wanted {_LEAST_PREFIX} letters of an id or more")
    with reading(store) as database:
        several = list(events_of(database, Filter(prefix=prefix.lower())))
        if not several:
            count = count_of(database)
            raise DataError(f"event: found none of {count} with an id that begins {prefix!r}")
    if len(several) > 1:
        first = ", ".join(event["id"] for event in several[:_NAMED])
        raise DataError(f"event: found {len(several)} with the id {prefix!r}: {first}")
    return several[0]


def judged_spans(store: Path, verdict: str) -> list[Span]:
    """Return from when to when events last that were judged so.

    Raises
    ------
    SetupError, NotReadyError
        As `reading`.
    """
    events = found(store, Filter(verdict=verdict))
    return [(_time(event["begin"]), _time(event["end"])) for event in events]


def without(known: Iterable[Span], taken: Sequence[Span]) -> list[Span]:
    """Return what is left of spans where others are taken out of them."""
    left = list(known)
    for begin, end in taken:
        left = [
            part
            for first, last in left
            for part in ((first, min(last, begin)), (max(first, end), last))
            if part[0] < part[1]
        ]
    return left


def utc(text: str, option: str) -> datetime:
    """Return the time that somebody gave with an option, UTC if it says no zone.

    Raises
    ------
    DataError
        If it is none.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"{option}: found {text!r}, wanted one as 2018-10-28T00:15") from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
