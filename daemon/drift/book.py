"""The hours that the ledger has sound of: what was scored, and which alarms began."""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from acoio.clock import from_us, to_us
from daemon.ahead import credible_until
from daemon.drift.achieved import Heard, may_be_false
from daemon.drift.hours import HOUR_US
from detector.values import iso

_ALL_US: Final = (1 << 63) - 1
_JUDGED: Final = """
SELECT events.json, (
    SELECT json_extract(verdicts.json, '$.verdict') FROM verdicts WHERE event_id = events.id
    ORDER BY at DESC, verdicts.json DESC LIMIT 1)
FROM events WHERE begin >= ? AND begin < ?"""


def hours_with_sound(database: sqlite3.Connection, most: int) -> list[int]:
    """Return the newest hours (since 1970) with scored windows, newest first.

    One step down the index each: however long the store is, it costs the same.  Those that are
    dated ahead of the clock are of sound only where there is no other.
    """
    credible = _hours_before(database, to_us(credible_until()), most)
    return credible or _hours_before(database, _ALL_US, most)


def _hours_before(database: sqlite3.Connection, before_us: int, most: int) -> list[int]:
    hours: list[int] = []
    query = "SELECT max(begin_us) FROM scores WHERE begin_us < ?"
    while len(hours) < most:
        (begin_us,) = database.execute(query, (before_us,)).fetchone()
        if begin_us is None:
            break
        hours.append(begin_us // HOUR_US)
        before_us = hours[-1] * HOUR_US
    return hours


def heard_in(database: sqlite3.Connection, hour: int, *, model: str, threshold: float) -> Heard:
    """Return what an hour had by a model at a threshold: what others found promises nothing."""
    span_us = hour * HOUR_US, (hour + 1) * HOUR_US
    (windows,) = database.execute(
        "SELECT count(*) FROM scores "
        "WHERE begin_us >= ? AND begin_us < ? AND model = ? AND threshold = ?",
        (*span_us, model, threshold),
    ).fetchone()
    alarms = 0
    for text, judgement in database.execute(_JUDGED, [iso(from_us(us)) for us in span_us]):
        event = json.loads(text)
        ours = (event["model"], event["threshold"]) == (model, threshold)
        alarms += ours and may_be_false(judgement)
    return Heard(windows, alarms)
