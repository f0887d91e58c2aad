"""Which sound is dated so far ahead of the clock that it cannot tell how late it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_AHEAD: Final = timedelta(days=1)  # a recorder may keep local time


def latest() -> datetime:
    """Return until when sound may be dated that is of now; what is later is dated wrong.

    It is heard as any other, but one such file must not pass for the newest for years.
    """
    return datetime.now(UTC) + _AHEAD
