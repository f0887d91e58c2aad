"""How long messages can be asked for again; events are kept for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from acoio.clock import to_us
from acoio.errors import NotReadyError
from daemon.ledger.ledger import Ledger

ALWAYS_KEPT: Final = 10_000  # whatever the clock says: it may jump by years
_AT_ONCE: Final = 500  # a turn, some milliseconds
_EVERY_S: Final = 60.0
_log = structlog.get_logger()


def outdated(rows: Sequence[tuple[int, int]], *, before_us: int, newest: int) -> int:
    """Return the number up to which messages may go, 0 for none.

    `rows` are the oldest numbers, in order, and when each was written; only what
    no younger one comes before goes, so that numbers keep having no holes.
    """
    last = 0
    for sequence, written_us in rows:
        if written_us >= before_us or sequence > newest:
            break
        last = sequence
    return last


class OldMessages:
    """The chore that lets them go, some at a time."""

    def __init__(self, ledger: Ledger, *, days: float) -> None:
        self._ledger = ledger
        self.keep(days=days)

    def keep(self, *, days: float) -> None:
        """Keep messages so long, from the next look on."""
        self._age = timedelta(days=days)
        self._due_s = 0.0

    def do(self, now_s: float) -> None:
        """Let the oldest go, at a time (monotonic, seconds)."""
        if now_s < self._due_s:
            return
        try:
            more = self._drop()
        except NotReadyError:  # a full disk: later, then
            more = False
        self._due_s = now_s if more else now_s + _EVERY_S

    def _drop(self) -> bool:
        """Drop up to so many messages, and say whether there may be more."""
        oldest = self._ledger.written(_AT_ONCE)
        newest = min(self._ledger.published, self._ledger.sequence - ALWAYS_KEPT)
        before_us = to_us(datetime.now(UTC) - self._age)
        last = outdated(oldest, before_us=before_us, newest=newest)
        if not last:
            return False
        self._ledger.drop_messages(last)
        _log.info("old messages dropped", up_to=last)
        return last == oldest[-1][0]
