"""The ledger: what was read, scored, found and said, in one transaction a step."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acoio.clock import to_us
from daemon.ledger.alert_book import AlertBook
from daemon.ledger.aside import guarded
from daemon.ledger.checkpoint import Checkpoint
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.files import Files
from daemon.ledger.newest import newest_score
from daemon.ledger.opening import opened
from daemon.ledger.soundness import wal_of
from daemon.ledger.storage import to_wait_for
from daemon.ledger.witness import Numbers, Witness
from daemon.progress import Lane, LaneState, Outgoing, Step
from detector.values import Score


@contextmanager
def open_ledger(store: Path) -> Iterator[Ledger]:
    """Give the ledger of a store, made if it is not there, and nobody else's until the end.

    Raises
    ------
    SetupError, NotReadyError
        As `opened`.
    """
    with opened(store) as found:
        checkpoint = Checkpoint(found.database, wal_of(store / LEDGER_FILE))
        yield Ledger(found.database, found.witness, checkpoint, rebuilt=found.rebuilt)
        with guarded(store):
            checkpoint.at_end()


class Ledger:
    """What the daemon knows for good.

    `files` by name; `sequence` the newest message number and `published` the
    newest that is known to be sent; `epoch` changes only if the ledger was lost,
    damaged or went back, and `rebuilt` says whether that was found at this start.
    `alerts` is what of the events was held back.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        witness: Witness,
        checkpoint: Checkpoint,
        *,
        rebuilt: bool = False,
    ) -> None:
        self.rebuilt = rebuilt
        self._database = database
        self._witness = witness
        self._checkpoint = checkpoint
        self.alerts = AlertBook(database)
        self._meta = dict(database.execute("SELECT key, value FROM meta"))
        self.files = Files(database)
        self._bear_witness()

    def _bear_witness(self) -> None:
        self._witness.write(Numbers(self.epoch, self.sequence))

    @property
    def epoch(self) -> str:
        """Which life of the ledger the numbers belong to."""
        return str(self._meta["epoch"])

    @property
    def sequence(self) -> int:
        """The number of the newest message; 0 before the first."""
        return int(self._meta["sequence"])

    @property
    def published(self) -> int:
        """The newest number that was known to be sent at the last commit."""
        return int(self._meta["published"])

    def lane(self, lane: Lane) -> LaneState:
        """Return where a lane stands."""
        return LaneState(**json.loads(self._meta.get(f"lane.{lane}", "{}")))

    @property
    def model(self) -> str | None:
        """The model that was announced last."""
        return self._meta.get("model")

    @property
    def newest_scored_us(self) -> int | None:
        """The end of the newest window scored, in microseconds since 1970."""
        newest = newest_score(self._database)
        return newest[0] if newest else None

    def unscored(self, scores: Sequence[Score], model: str) -> tuple[Score, ...]:
        """Return those scores whose windows this model has not scored yet."""
        if not scores:
            return ()
        begins = [to_us(score.begin) for score in scores]
        rows = self._database.execute(
            "SELECT begin_us FROM scores WHERE model = ? AND begin_us BETWEEN ? AND ?",
            (model, min(begins), max(begins)),
        )
        stored = {begin for (begin,) in rows}
        return tuple(s for s, begin in zip(scores, begins, strict=True) if begin not in stored)

    def is_scored(self, score: Score) -> bool:
        """Say whether the window of a score was scored, by whichever model."""
        query, begin = "SELECT 1 FROM scores WHERE begin_us = ? LIMIT 1", to_us(score.begin)
        return self._database.execute(query, (begin,)).fetchone() is not None

    def event(self, event_id: str) -> dict[str, Any] | None:
        """Return the newest revision of an event, or None."""
        row = self._database.execute("SELECT json FROM events WHERE id = ?", (event_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def open_events(self) -> list[dict[str, Any]]:
        """Return the events that have not ended, by their begin."""
        rows = self._database.execute(
            "SELECT json FROM events WHERE status = 'open' ORDER BY begin"
        )
        return [json.loads(text) for (text,) in rows]

    @property
    def oldest(self) -> int:
        """The oldest number that `messages` can give; `sequence` + 1 if there is none."""
        (oldest,) = self._database.execute("SELECT min(sequence) FROM outbox").fetchone()
        return self.sequence + 1 if oldest is None else int(oldest)

    def messages(self, since: int, limit: int) -> list[Outgoing]:
        """Return up to `limit` messages after number `since`, in order."""
        rows = self._database.execute(
            "SELECT sequence, topic, type, json FROM outbox WHERE sequence > ? "
            "ORDER BY sequence LIMIT ?",
            (since, limit),
        )
        return [Outgoing(*row) for row in rows]

    def written(self, limit: int) -> list[tuple[int, int]]:
        """Return the oldest numbers and when each was written, in microseconds since 1970."""
        query = "SELECT sequence, written_us FROM outbox ORDER BY sequence LIMIT ?"
        return list(self._database.execute(query, (limit,)))

    def drop_messages(self, until: int) -> None:
        """Let messages up to a number go, which nobody can ask for any more.

        Raises
        ------
        NotReadyError
            As `transaction`.
        """
        with self.transaction() as database:
            database.execute("DELETE FROM outbox WHERE sequence <= ?", (until,))

    def forget(self, names: Iterable[str]) -> None:
        """Take files for new ones; what was scored and found in them stays.

        Raises
        ------
        NotReadyError
            As `transaction`.
        """
        gone = tuple(names)
        with self.transaction():
            self.files.delete(gone)
        self.files.forget(gone)

    def commit(self, step: Step, model: str) -> None:
        """Keep a step whole, on the disk, or not at all.

        Raises
        ------
        NotReadyError
            If the disk is full: nothing was kept.
        ValueError
            If the messages are not numbered on from `sequence`.
        """
        meta = self._next_meta(step)
        with self.transaction():
            self._write(step, meta, model)
        self._meta.update(meta)
        self.files.take(step.files)
        if step.outgoing:
            self._bear_witness()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the database for a change that is kept whole, on the disk, or not at all.

        Raises
        ------
        NotReadyError
            If the disk is full (`NoRoomError`), or another process holds the file: nothing
            was kept.
        """
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                yield self._database
            self._checkpoint.after_commit()
        except sqlite3.DatabaseError as error:
            raise to_wait_for(error) or error from error

    def _next_meta(self, step: Step) -> dict[str, str]:
        last = self.sequence
        numbers = [message.sequence for message in step.outgoing]
        if numbers != list(range(last + 1, last + 1 + len(numbers))):
            raise ValueError(f"messages: found numbers {numbers}, wanted them on from {last + 1}")
        meta = {"sequence": str(last + len(numbers)), "published": str(step.published)}
        for lane, state in step.lanes.items():
            meta[f"lane.{lane}"] = json.dumps(asdict(state))
        return meta if step.model is None else {**meta, "model": step.model}

    def _write(self, step: Step, meta: Mapping[str, str], model: str) -> None:
        write, now_us = self._database.executemany, to_us(datetime.now(UTC))
        write("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
        self.files.write(step.files)
        write("INSERT INTO scores VALUES (?, ?, ?, ?, ?)", [_row(s, model) for s in step.scores])
        write(
            "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?)",
            [(e["id"], e["begin"], e["status"], json.dumps(e)) for e in step.events],
        )
        write("INSERT INTO verdicts VALUES (?, ?, ?)", step.verdicts)
        write(
            "INSERT INTO outbox VALUES (?, ?, ?, ?, ?)",
            [(m.sequence, m.topic, m.type, m.text, now_us) for m in step.outgoing],
        )
        self.alerts.write(step.held, step.told)


def _row(score: Score, model: str) -> tuple[int, str, int, float, float]:
    begin, end = to_us(score.begin), to_us(score.end)
    return begin, model, end, float(score.score), float(score.threshold)
