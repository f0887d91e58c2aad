"""How much room a month takes: as the store has it, or as much as it may at most."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from acoio.errors import NotReadyError, SetupError
from daemon.ledger.stored import reading
from daemon.options import Config

_GB: Final = 1e9
_MONTH_DAYS: Final = 30.0
_SCORES: Final = 0.35 * _GB
"""45 days of scores in the ledger and 30 in files, one a second, with the messages of a
month.  Source: a year of scores in the ledger takes 2 GB (`soundness`)."""
_LEAST_DAYS: Final = 2.0  # of evidence, to tell what a month of it takes


def month_bytes(config: Config) -> tuple[float, str]:
    """Return the room that a month takes beside what is there, in bytes, and how that is known."""
    limit = config.evidence.keep_gb * _GB
    kept, span = _evidence(config)
    left = max(limit - kept, 0.0)
    days = span.total_seconds() / 86_400
    if days < _LEAST_DAYS:
        return _SCORES + left, "at most"
    return _SCORES + min(kept / days * _MONTH_DAYS, left), f"by the last {days:.0f} days"


def _evidence(config: Config) -> tuple[float, timedelta]:
    """Return the bytes of the evidence there is, and the time its events span."""
    query = "SELECT total(size_bytes), min(begin), max(begin) FROM evidence WHERE state = 'made'"
    try:
        with reading(config.store.path) as database:
            kept, first, last = database.execute(query).fetchone()
    except (SetupError, NotReadyError):  # none that can be read, which another check tells
        return 0.0, timedelta(0)
    if first is None:
        return 0.0, timedelta(0)
    return float(kept), datetime.fromisoformat(last) - datetime.fromisoformat(first)
