"""What people say of events: a verdict is kept, told on the bus, and used by trainings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from acoio.errors import DataError, unusable
from daemon.bus.wire import Draft, event_draft
from daemon.durable import write_whole
from daemon.errors import plain
from daemon.ledger.ledger import Ledger
from daemon.progress import Step
from detector.files import LARGEST_BYTES, read_regular

REQUEST: Final = "review"
FILE: Final = "verdicts.jsonl"
JUDGEMENTS: Final = ("confirmed", "rejected")
LONGEST_TEXT: Final = 2000  # letters
_TEXTS: Final = ("call_type", "note", "who")
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z", re.ASCII)

_Json = Mapping[str, Any]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody (`who`) said of an event at a time (ISO 8601, UTC).

    Raises
    ------
    DataError
        If a part of it is none.
    """

    verdict: Literal["confirmed", "rejected"]
    at: str
    call_type: str = ""
    note: str = ""
    who: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in JUDGEMENTS:
            raise DataError(f"verdict: found {self.verdict!r}, wanted confirmed or rejected")
        if not isinstance(self.at, str) or not _TIME.fullmatch(self.at):
            raise DataError(f"at: found {self.at!r}, wanted a time as 2018-10-28T00:15:02.000000Z")
        try:
            datetime.fromisoformat(self.at)
        except ValueError as error:
            raise DataError(f"at: found {self.at!r}: {error}") from error
        for name in _TEXTS:
            text = getattr(self, name)
            if not isinstance(text, str) or len(text) > LONGEST_TEXT or not text.isprintable():
                raise DataError(
                    f"{name}: found {str(text)[:80]!r}, "
                    f"wanted a line of up to {LONGEST_TEXT} letters"
                )

    def as_json(self) -> dict[str, str]:
        """Return it under its public names."""
        return asdict(self)


def verdict_of(data: _Json) -> tuple[str, Verdict]:
    """Return the event's id and the verdict of a request.

    Raises
    ------
    DataError
        If it holds none.
    """
    parts = dict(data)
    event_id = parts.pop("id", None)
    if not isinstance(event_id, str) or not event_id.isprintable():
        raise DataError(f"id: found {event_id!r}, wanted an event's")
    try:
        return event_id, Verdict(**parts)
    except TypeError as error:
        raise DataError(f"review: {error}") from error


def reviewed(event: _Json, verdict: _Json) -> dict[str, Any]:
    """Return an event's JSON with what was said of it last."""
    return {**event, "status": "reviewed", "verdict": dict(verdict)}


class Reviews:
    """Keeps verdicts and says them on the bus in one transaction; the same one twice is one.

    They are in a file of the store too: a ledger that is lost is made anew of the sound,
    but what people said is in no sound.
    """

    def __init__(
        self, store: Path, ledger: Ledger, keep: Callable[[Step, Sequence[Draft]], None]
    ) -> None:
        self._file = store / FILE
        self._ledger = ledger
        self._keep = keep
        with ledger.transaction() as database:
            rows = _rows(self._kept(), self._file)
            database.executemany("INSERT OR IGNORE INTO verdicts VALUES (?, ?, ?)", rows)

    def __call__(self, data: _Json) -> None:
        """Take a request of `kilokai events review`.

        Raises
        ------
        DataError
            If it is none, or there is no such event, or it is still open.
        NotReadyError
            If the ledger's disk is full.
        """
        event_id, verdict = verdict_of(data)
        event = self._ledger.event(event_id)
        if event is None or event["status"] != "closed":
            raise DataError(f"id: found {event_id!r}, wanted that of an event that has ended")
        row = _row(event_id, verdict)
        if not self._has(row):
            step = Step(self._ledger.published, verdicts=(row,))
            self._keep(step, [event_draft(reviewed(event, verdict.as_json()))])
        line, kept = json.dumps({"id": event_id, **verdict.as_json()}).encode(), self._kept()
        if line not in kept.splitlines():
            end = b"\n" if kept and not kept.endswith(b"\n") else b""
            write_whole(self._file, kept + end + line + b"\n")

    def _kept(self) -> bytes:
        try:
            return read_regular(self._file, LARGEST_BYTES)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise unusable(f"store.path: {self._file}", error) from error

    def _has(self, row: tuple[str, str, str]) -> bool:
        query = "SELECT 1 FROM verdicts WHERE (event_id, at, json) = (?, ?, ?)"
        with self._ledger.transaction() as database:
            return database.execute(query, row).fetchone() is not None


def _rows(kept: bytes, file: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the verdicts of a file; a line that is none is told, and stays where it is."""
    for number, line in enumerate(kept.splitlines(), 1):
        try:
            yield _row(*verdict_of(json.loads(line.decode())))
        except (ValueError, TypeError, RecursionError) as error:
            _log.warning("verdict skipped", file=plain(file), line=number, reason=str(error))


def _row(event_id: str, verdict: Verdict) -> tuple[str, str, str]:
    return event_id, verdict.at, json.dumps(verdict.as_json())
