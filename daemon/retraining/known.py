"""What a store knows of its sound that decides which of it is typical."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any, Final

from acoio.chain import LONGEST
from acoio.errors import FilenameError
from acoio.filename import parse_filename
from acoio.simulate import Truth
from daemon.events.find import found, judged_spans, listed
from daemon.events.query import Filter
from daemon.ledger.stored import stored_begins, stored_files
from detector.calibration.apart import Judged
from detector.values import Span

_Json = Mapping[str, Any]
_NO_SNR: Final = float("nan")


@dataclass(frozen=True, eq=False)
class Known:
    """What people and the daemon said of a store's sound.

    `confirmed` are calls, by when and where in frequency; `rejected` the spans of events
    that were none.  `alarms` are the begins of all events but the rejected ones, and
    `unfinished` the spans of open ones, whose end nobody knows.  `well` are the names of
    the files that the daemon heard to their end and found no damage in.
    """

    confirmed: tuple[Truth, ...] = ()
    rejected: tuple[Span, ...] = ()
    alarms: tuple[datetime, ...] = ()
    unfinished: tuple[Span, ...] = ()
    well: frozenset[str] = frozenset()

    @property
    def judged(self) -> Judged:
        """What that says of the events that nobody judged: how many of them are nothing."""
        return Judged.of(self.rejected, confirmed=len(self.confirmed))

    @property
    def calls(self) -> list[Span]:
        """What must not be learnt as typical: confirmed calls, and events that go on."""
        return [*((call.begin, call.end) for call in self.confirmed), *self.unfinished]

    def since(self, when: datetime | None) -> Known:
        """Return the same without what people said of older sound."""
        if when is None:
            return self
        return replace(
            self,
            confirmed=tuple(call for call in self.confirmed if call.begin >= when),
            rejected=tuple(span for span in self.rejected if span[0] >= when),
        )


def known_of(store: Path) -> Known:
    """Return what a store knows; it is only read, whether or not a daemon runs on it.

    Raises
    ------
    SetupError
        If there is no ledger that can be read.
    """
    files = stored_files(store)
    rejected = tuple(judged_spans(store, "rejected"))
    none = {begin for begin, _ in rejected}
    return Known(
        confirmed=tuple(map(_call, found(store, Filter(verdict="confirmed")))),
        rejected=rejected,
        alarms=tuple(begin for begin in stored_begins(store) if begin not in none),
        unfinished=_unfinished(listed(store, Filter(status="open")), files),
        well=frozenset(
            PurePath(file["name"]).name
            for file in files
            if file["state"] == "done" and not file["damaged_bytes"]
        ),
    )


def _unfinished(going_on: Sequence[_Json], files: Sequence[_Json]) -> tuple[Span, ...]:
    """Return the spans that open events may have: each up to the first file not yet heard."""
    begins = ((_begin(file["name"]), file["state"] == "done") for file in files)
    heard = sorted((begin, done) for begin, done in begins if begin)
    return tuple((_time(event["begin"]), _until(event, heard)) for event in going_on)


def _until(event: _Json, files: Sequence[tuple[datetime, bool]]) -> datetime:
    """Return until when sound was heard without a break since an event began.

    `files` say when each begins, and whether it was heard to its end.
    """
    first = _begin(event["file"]) or _time(event["begin"])
    until = _time(event["begin"]) + LONGEST
    for begin, done in files[bisect_left(files, (first, False)) :]:
        if begin > until:
            break
        if begin > first and not done:
            return max(begin, _time(event["begin"]))
        until = max(until, begin + LONGEST)
    return until


def _begin(name: str) -> datetime | None:
    try:
        return parse_filename(PurePath(name)).begin
    except FilenameError:
        return None


def _call(event: Mapping[str, Any]) -> Truth:
    label = event["verdict"].get("call_type") or "call"
    span = _time(event["begin"]), _time(event["end"])
    return Truth(*span, event["low_hz"], event["high_hz"], label, _NO_SNR, "call")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
