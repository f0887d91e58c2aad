"""Which events were held back, and what else alerts need to know of those committed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from daemon.events.bouts import ENOUGH


class AlertBook:
    """The part of the ledger that `daemon.events.alerts` decides by.

    An hour goes by its ISO 8601 begin.  It reads and writes by the ledger's one connection,
    and begins no transaction itself.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def event(self, event_id: str) -> dict[str, Any] | None:
        """Return the newest revision of an event, or None."""
        found = self._events("WHERE id = ?", event_id)
        return found[0] if found else None

    def events_before(self, begin: str) -> Iterator[dict[str, Any]]:
        """Yield the newest events that begin earlier, newest first, up to `ENOUGH`."""
        where = "WHERE begin < ? ORDER BY begin DESC LIMIT ?"
        rows = self._database.execute(f"SELECT json FROM events {where}", (begin, ENOUGH))
        yield from (json.loads(text) for (text,) in rows.fetchall())

    def is_held(self, event_id: str) -> bool:
        """Say whether an event was held back."""
        return bool(self._count("held_back WHERE id = ?", event_id))

    def sent(self, hour: str) -> int:
        """Return how many events that begin in an hour were sent one by one."""
        within = f"{hour[:13]}:", f"{hour[:13]};"  # every minute of it sorts between these
        found = self._count("events WHERE begin >= ? AND begin < ?", *within)
        return found - self._count("held_back WHERE hour = ?", hour)

    def held(self, hour: str) -> list[dict[str, Any]]:
        """Return the newest revisions of the events held back in an hour, by their begin."""
        return self._events("JOIN held_back USING (id) WHERE hour = ? ORDER BY begin, id", hour)

    def untold(self) -> list[str]:
        """Return the hours with events held back that no summary tells of yet."""
        rows = self._database.execute(
            "SELECT DISTINCT hour FROM held_back WHERE NOT told ORDER BY hour"
        )
        return [hour for (hour,) in rows]

    def write(self, held: Mapping[str, str], told: Iterable[str]) -> None:
        """Note within a transaction what a step held back, and which hours it summed up."""
        write = self._database.executemany
        write("INSERT INTO held_back VALUES (?, ?, 0)", held.items())
        write("UPDATE held_back SET told = 1 WHERE hour = ?", [(hour,) for hour in told])

    def _events(self, where: str, *values: object) -> list[dict[str, Any]]:
        rows = self._database.execute(f"SELECT json FROM events {where}", values)
        return [json.loads(text) for (text,) in rows]

    def _count(self, where: str, *values: object) -> int:
        (found,) = self._database.execute(f"SELECT count(*) FROM {where}", values).fetchone()
        return int(found)
