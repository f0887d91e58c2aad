"""What the ledger knows of evidence: what remains to be made, what there is, what went."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from daemon.evidence.retention import Kept, Kind
from daemon.ledger.ledger import Ledger

TRIES: Final = 3

Outcome = Literal["made", "gone", "failed", "full"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Evidence that is to be made of a closed event, whose JSON is `event`."""

    kind: Kind
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one piece: `failed` is tried again a few times, `full` for ever."""

    event_id: str
    kind: Kind
    outcome: Outcome
    size_bytes: int = 0
    reason: str = ""


class EvidenceRows:
    """The table `evidence`, through the ledger's one connection."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def wanted(self, kinds: Collection[Kind], limit: int) -> list[Wanted]:
        """Return up to `limit` pieces to make: the fewest tries first, then the oldest."""
        marks = ", ".join("?" * len(kinds))
        with self._ledger.transaction() as database:
            rows = database.execute(
                "SELECT kind, json FROM evidence JOIN events ON events.id = event_id "
                f"WHERE state = 'pending' AND kind IN ({marks}) "
                "ORDER BY tries, evidence.begin LIMIT ?",
                (*kinds, limit),
            )
            return [Wanted(kind, json.loads(text)) for kind, text in rows]

    def kept(self) -> list[Kept]:
        """Return what there is, and whether the last verdict on its event confirmed it."""
        confirmed = (
            "SELECT event_id FROM verdicts AS last "
            "WHERE json_extract(json, '$.verdict') = 'confirmed' AND NOT EXISTS "
            "(SELECT 1 FROM verdicts AS v WHERE v.event_id = last.event_id "
            "AND (v.at, v.json) > (last.at, last.json))"
        )
        with self._ledger.transaction() as database:
            rows = database.execute(
                f"SELECT event_id, kind, made_s, size_bytes, event_id IN ({confirmed}) "
                "FROM evidence WHERE state = 'made'"
            )
            return [
                Kept(event, kind, made_s, size_bytes, bool(last))
                for event, kind, made_s, size_bytes, last in rows
            ]

    def begin_of(self, event_id: str) -> str:
        """Return when an event began, as its paths say."""
        with self._ledger.transaction() as database:
            query = "SELECT begin FROM evidence WHERE event_id = ?"
            (begin,) = database.execute(query, (event_id,)).fetchone()
            return str(begin)

    def take(self, results: Iterable[Result], made_s: float) -> None:
        """Keep what became of pieces, at a time (s since 1970); `full` changes nothing.

        Raises
        ------
        NotReadyError
            If the ledger's disk is full.
        """
        with self._ledger.transaction() as database:
            for result in results:
                if result.outcome == "full":
                    continue
                database.execute(
                    "UPDATE evidence SET state = CASE WHEN ?1 = 'failed' AND tries + 1 < ?2 "
                    "THEN 'pending' ELSE ?1 END, tries = tries + 1, size_bytes = ?3, "
                    "made_s = ?4, reason = ?5 WHERE event_id = ?6 AND kind = ?7",
                    (
                        result.outcome,
                        TRIES,
                        result.size_bytes,
                        made_s,
                        result.reason,
                        result.event_id,
                        result.kind,
                    ),
                )

    def forget(self, pieces: Iterable[Kept]) -> None:
        """Note that pieces were removed."""
        with self._ledger.transaction() as database:
            database.executemany(
                "UPDATE evidence SET state = 'removed' WHERE event_id = ? AND kind = ?",
                [(piece.event_id, piece.kind) for piece in pieces],
            )
