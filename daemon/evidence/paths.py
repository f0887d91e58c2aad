"""Where an event's evidence lies and which sound it holds (pure).

Paths are made of an event's id and begin alone, within the store, whatever the
drop, a request or a ledger says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Final

from acoio.errors import DataError
from daemon.evidence.retention import KINDS, Kind

LONGEST: Final = timedelta(minutes=5)
"""Of a longer event the clip and the picture hold the beginning."""

_FOLDERS: Final[Mapping[Kind, tuple[str, str]]] = {
    "clip": ("clips", ".flac"),
    "picture": ("pictures", ".png"),
}
_ID: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)

_Json = Mapping[str, Any]


def evidence_path(event_id: str, begin: str, kind: Kind) -> PurePosixPath:
    """Return where a kind of evidence lies, relative to the store.

    Raises
    ------
    DataError
        If it is no event's id or no time.
    """
    if not _ID.fullmatch(event_id):
        raise DataError(f"event: found the id {event_id!r}, wanted 16 hexadecimal digits")
    try:
        when = datetime.fromisoformat(begin).astimezone(UTC)
    except ValueError as error:
        raise DataError(f"event {event_id}: found the begin {begin!r}, wanted a time") from error
    folder, suffix = _FOLDERS[kind]
    name = f"{when:%Y%m%dT%H%M%S}.{when.microsecond:06d}Z-{event_id}{suffix}"
    return PurePosixPath(folder, f"{when:%Y}", f"{when:%m}", f"{when:%d}", name)


def with_evidence(event: _Json) -> dict[str, Any]:
    """Return an event's JSON as it is kept: once closed, it says where its evidence will lie."""
    if event["status"] == "open":
        return dict(event)
    paths: dict[str, str] = {
        kind: str(evidence_path(event["id"], event["begin"], kind)) for kind in KINDS
    }
    return {**event, **paths}


def wanted_span(event: _Json, context_s: float) -> tuple[datetime, datetime]:
    """Return from when to when the evidence of an event reaches."""
    begin, end = (datetime.fromisoformat(event[name]) for name in ("begin", "end"))
    context = timedelta(seconds=context_s)
    return begin - context, min(end, begin + LONGEST) + context
