"""The newest score of a ledger."""

from __future__ import annotations

import sqlite3

from acoio.clock import to_us
from daemon.ahead import credible_until

_QUERY = "SELECT end_us, model, threshold FROM scores {} ORDER BY begin_us DESC LIMIT 1"


def newest_score(database: sqlite3.Connection) -> tuple[int, str, float] | None:
    """Return the end (microseconds since 1970), model and threshold of the newest score.

    It is of sound that is dated ahead of the clock only where there is no other.
    """
    credible = _QUERY.format("WHERE begin_us < ?"), (to_us(credible_until()),)
    for query, values in (credible, (_QUERY.format(""), ())):
        row: tuple[int, str, float] | None = database.execute(query, values).fetchone()
        if row:
            return row
    return None
