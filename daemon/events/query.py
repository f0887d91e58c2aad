"""The events of a ledger that a filter allows, found by SQLite and read a page at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from daemon.events.reviews import reviewed
from detector.events import SEVERITIES
from detector.values import iso

UNJUDGED: Final = "none"
_PAGE: Final = 1000  # no reader holds the daemon's log for longer than such a page takes
_FROM: Final = """
FROM (SELECT id, begin, status, json, (
    SELECT json FROM verdicts WHERE event_id = events.id ORDER BY at DESC, json DESC LIMIT 1
) AS said FROM events)
"""

_Row = tuple[str, str, str, str | None]
_Clause = tuple[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted: all that every part which is given allows.

    Those that are going on at some time in [begin, end), of a score and a severity at
    least, whose band meets one, of a status, of a verdict ("none": not judged yet), whose
    id begins so.
    """

    begin: datetime | None = None
    end: datetime | None = None
    status: str | None = None
    severity: str | None = None
    score: float | None = None
    band_hz: tuple[float, float] | None = None
    verdict: str | None = None
    prefix: str | None = None


def events_of(
    database: sqlite3.Connection, wanted: Filter, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the newest revision of events, by their begin, with the last verdict on them.

    Of too many those that begin last.
    """
    where = [*_by_columns(wanted), *_by_figures(wanted)]
    first = _first(database, where, limit) if limit is not None else None
    if first:
        where.append(("(begin, id) >= (?, ?)", first))
    rows = _page(database, where)
    while rows:
        yield from (_event(text, said) for _, _, text, said in rows)
        rows = _page(database, [*where, ("(begin, id) > (?, ?)", rows[-1][:2])])


def count_of(database: sqlite3.Connection) -> int:
    """Return how many events there are."""
    return int(database.execute("SELECT count(*) FROM events").fetchone()[0])


def _event(text: str, said: str | None) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(text)
    return reviewed(event, json.loads(said)) if said else event


def _page(database: sqlite3.Connection, where: Sequence[_Clause]) -> list[_Row]:
    conditions, values = _joined(where)
    query = f"SELECT begin, id, json, said {_FROM} {conditions} ORDER BY begin, id LIMIT {_PAGE}"
    return database.execute(query, values).fetchall()


def _first(
    database: sqlite3.Connection, where: Sequence[_Clause], limit: int
) -> tuple[str, str] | None:
    """Return begin and id of the first of the last `limit`, or None if there are fewer."""
    conditions, values = _joined(where)
    query = f"SELECT begin, id {_FROM} {conditions} ORDER BY begin DESC, id DESC LIMIT 1 OFFSET ?"
    found: tuple[str, str] | None = database.execute(query, (*values, limit - 1)).fetchone()
    return found


def _joined(where: Sequence[_Clause]) -> tuple[str, list[object]]:
    conditions = " AND ".join(condition for condition, _ in where)
    values = [value for _, values in where for value in values]
    return f"WHERE {conditions}" if conditions else "", values


def _by_columns(wanted: Filter) -> Iterator[_Clause]:
    if wanted.end is not None:
        yield "begin < ?", [iso(wanted.end)]
    if wanted.status is not None:
        yield "iif(said IS NULL, status, 'reviewed') = ?", [wanted.status]
    if wanted.verdict is not None:
        yield "ifnull(json_extract(said, '$.verdict'), ?) = ?", [UNJUDGED, wanted.verdict]
    if wanted.prefix is not None:
        yield "id >= ? AND id < ?", [wanted.prefix, wanted.prefix + "\U0010ffff"]


def _by_figures(wanted: Filter) -> Iterator[_Clause]:
    if wanted.begin is not None:
        yield f"{_part('end')} > ?", [iso(wanted.begin)]
    if wanted.severity is not None:
        enough = SEVERITIES[SEVERITIES.index(wanted.severity) :]
        yield f"{_part('severity')} IN ({', '.join('?' * len(enough))})", enough
    if wanted.score is not None:
        yield f"{_part('score')} >= ?", [wanted.score]
    if wanted.band_hz is not None:
        low_hz, high_hz = wanted.band_hz
        yield f"{_part('low_hz')} <= ? AND {_part('high_hz')} >= ?", [high_hz, low_hz]


def _part(name: str) -> str:
    return f"json_extract(json, '$.{name}')"
