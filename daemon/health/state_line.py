"""The line that `systemctl status` shows: how far the sound is scored, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from acoio.clock import from_us
from daemon.drop.backlog import Backlog
from daemon.errors import plain
from daemon.health.status_file import Said
from daemon.health.status_lines import duration
from daemon.health.troubles import ailments
from daemon.ledger.ledger import Ledger


def telling(ledger: Ledger, say: Callable[[], Said]) -> Callable[[], str]:
    """Return what tells how the daemon is now, by what `kilokai status` goes by as well."""

    def tell() -> str:
        newest_us, said, now = ledger.newest_scored_us, say(), datetime.now(UTC)
        return state_line(
            now,
            newest=None if newest_us is None else from_us(newest_us),
            backlog=Backlog(**said["backlog"]),
            model=ledger.model or "no model",
            trouble=next(iter(ailments(said, now).values()), None),
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
