"""Which days of scores are due to be written to files, and which rows the ledger may drop."""

from __future__ import annotations

import sqlite3
from typing import Final

from acoio.clock import to_us
from daemon.ahead import credible_until
from daemon.ledger.evidence_tables import US_A_DAY
from daemon.ledger.ledger import Ledger

KEPT_DAYS: Final = 45
"""Rows older than this, before the newest sound, go once they are in the file of their day.

Sound that is older still when it is heard again is scored again, and its scores, being
the same, take their former place in the file.
"""

_DROPPED_AT_ONCE_US: Final = 3_600_000_000
_DAYS_AT_ONCE: Final = 2


class ScoreDays:
    """The table `score_days`, through the ledger's one connection."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._counts: dict[int, int] = {}

    def due(self, *, patient: bool) -> list[int]:
        """Return days (since 1970) whose file lacks scores, and where sound is heard no more.

        A day is over when there is sound of a later one, or it is dated ahead; with `patient`
        also nothing must have been added to it since the last look.
        """
        newest_us, ahead_us = self._ledger.newest_scored_us, to_us(credible_until())
        if newest_us is None:
            return []
        with self._ledger.transaction() as database:
            rows = database.execute(
                "SELECT day FROM score_days WHERE stale AND (day < ? OR day > ?) "
                "ORDER BY day LIMIT ?",
                (newest_us // US_A_DAY, max(newest_us, ahead_us) // US_A_DAY, _DAYS_AT_ONCE),
            )
            counts = {day: _count(database, day) for (day,) in rows.fetchall()}
        before, self._counts = self._counts, counts
        return [day for day, count in counts.items() if not patient or before.get(day) == count]

    def written(self, day: int, rows: int) -> None:
        """Note that a day's file has as many of the ledger's rows; it may have got more since."""
        with self._ledger.transaction() as database:
            if _count(database, day) == rows:
                database.execute("UPDATE score_days SET stale = 0 WHERE day = ?", (day,))

    def drop_old(self) -> None:
        """Remove an hour of the oldest rows, if they are old enough and in a file."""
        newest_us = self._ledger.newest_scored_us
        if newest_us is None or newest_us > to_us(credible_until()):
            return  # there is no sound that says when it is now
        with self._ledger.transaction() as database:
            (oldest_us,) = database.execute("SELECT min(begin_us) FROM scores").fetchone()
            day = oldest_us // US_A_DAY
            query = "SELECT stale FROM score_days WHERE day = ?"
            (stale,) = database.execute(query, (day,)).fetchone() or (1,)
            if stale or day >= newest_us // US_A_DAY - KEPT_DAYS:
                return
            until_us = min(oldest_us + _DROPPED_AT_ONCE_US, (day + 1) * US_A_DAY)
            database.execute("DELETE FROM scores WHERE begin_us < ?", (until_us,))


def _count(database: sqlite3.Connection, day: int) -> int:
    query = "SELECT count(*) FROM scores WHERE begin_us >= ? AND begin_us < ?"
    (count,) = database.execute(query, (day * US_A_DAY, (day + 1) * US_A_DAY)).fetchone()
    return int(count)
