"""Which sound is dated so far ahead of the clock that it cannot tell how late it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_AHEAD: Final = timedelta(days=1)  # a recorder may keep local time


def credible_until() -> datetime:
    """Return until when sound may be dated that is of now; what is later is dated wrong.

    It is heard as any other, but one such file must not pass for the newest for years.
    Where all sound is later, it is the clock that is wrong.
    """
    return datetime.now(UTC) + _AHEAD


def age(when: datetime) -> tuple[bool, datetime]:
    """Return what is greater for newer sound: what is dated ahead is older than all else."""
    return when <= credible_until(), when
