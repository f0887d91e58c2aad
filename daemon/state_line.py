"""The line that `systemctl status` shows: how far the sound is scored, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from acoio.clock import from_us
from daemon.backlog import Backlog
from daemon.catching_up import CatchingUp
from daemon.errors import plain
from daemon.ledger import Ledger
from daemon.room import Room
from daemon.status_lines import duration

_STUCK: Final = "sound waits and nothing goes on"


def telling(ledger: Ledger, catching_up: CatchingUp, room: Room) -> Callable[[bool], str]:
    """Return what tells how the daemon is now, given whether work goes on."""

    def tell(went_on: bool) -> str:
        newest_us, full = ledger.newest_scored_us, "the store is full" if room.full else None
        return state_line(
            datetime.now(UTC),
            newest=None if newest_us is None else from_us(newest_us),
            backlog=catching_up.backlog,
            model=ledger.model or "no model",
            trouble=catching_up.drop_trouble or full or (None if went_on else _STUCK),
        )

    return tell


def state_line(
    now: datetime, *, newest: datetime | None, backlog: Backlog, model: str, trouble: str | None
) -> str:
    """Return how the daemon is, in one line (pure)."""
    scored = "nothing scored yet"
    if newest is not None:
        ago = duration((now - newest).total_seconds())
        scored = f"scored up to {newest:%Y-%m-%d %H:%M:%S}, {ago} ago"
    parts = [*([f"TROUBLE: {trouble}"] if trouble else []), scored, _waits(backlog), model]
    return plain("; ".join(" ".join(part.split()) for part in parts))


def _waits(backlog: Backlog) -> str:
    if not backlog.files:
        return "no backlog"
    return f"backlog {backlog.files} files, {duration(backlog.seconds)}"
