"""The events of a store with what was said of them: which ones, in order, by an id."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from acoio.errors import DataError
from daemon.events.reviews import reviewed
from daemon.ledger.stored import reading, stored_events
from detector.events import SEVERITIES
from detector.values import Span

UNJUDGED: Final = "none"
_LEAST_PREFIX: Final = 4
_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted: all that every part which is given allows.

    Those that are going on at some time in [begin, end), of a score and a severity at
    least, whose band meets one, of a status, of a verdict ("none": not judged yet).
    """

    begin: datetime | None = None
    end: datetime | None = None
    status: str | None = None
    severity: str | None = None
    score: float | None = None
    band_hz: tuple[float, float] | None = None
    verdict: str | None = None

    def takes(self, event: _Json) -> bool:
        """Say whether an event is wanted."""
        return all(
            (
                self.begin is None or _time(event["end"]) > self.begin,
                self.end is None or _time(event["begin"]) < self.end,
                self.status in (None, event["status"]),
                self.severity is None or _rank(event["severity"]) >= _rank(self.severity),
                self.score is None or event["score"] >= self.score,
                self.band_hz is None or _meets(event, self.band_hz),
                self.verdict in (None, event.get("verdict", {}).get("verdict", UNJUDGED)),
            )
        )


def listed(store: Path, wanted: Filter | None = None, limit: int | None = None) -> list[Any]:
    """Return the newest revision of events, by their begin; of too many the last ones.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    verdicts = stored_verdicts(store)
    events = [
        reviewed(event, said[-1]) if (said := verdicts.get(event["id"])) else event
        for event in stored_events(store)
    ]
    found = [event for event in events if wanted is None or wanted.takes(event)]
    return found if limit is None else found[max(len(found) - limit, 0) :]


def stored_verdicts(store: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every verdict by its event's id, the newest last.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with reading(store) as database:
        rows = database.execute("SELECT event_id, json FROM verdicts ORDER BY event_id, at, json")
        for event_id, text in rows:
            found[event_id].append(json.loads(text))
    return dict(found)


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


def one_of(events: Sequence[_Json], prefix: str) -> _Json:
    """Return the one event whose id begins so, in letters of either case.

    Raises
    ------
    DataError
        If there is none, or more than one.
    """
    if len(prefix) < _LEAST_PREFIX:
        raise DataError(f"event: found {prefix!r}, wanted {_LEAST_PREFIX} letters of an id or more")
    found = [event for event in events if event["id"].startswith(prefix.lower())]
    if not found:
        raise DataError(f"event: found none of {len(events)} with an id that begins {prefix!r}")
    if len(found) > 1:
        first = ", ".join(event["id"] for event in found[:5])
        raise DataError(f"event: found {len(found)} with the id {prefix!r}: {first}")
    return found[0]


def spans(events: Iterable[_Json], verdict: str) -> list[Span]:
    """Return from when to when events last that were judged so."""
    return [
        (_time(event["begin"]), _time(event["end"]))
        for event in events
        if event.get("verdict", {}).get("verdict") == verdict
    ]


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


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)


def _meets(event: _Json, band_hz: tuple[float, float]) -> bool:
    low_hz, high_hz = band_hz
    return bool(event["low_hz"] <= high_hz and event["high_hz"] >= low_hz)
