"""When to try again after the store had no room (pure)."""

from __future__ import annotations

from typing import Final

FIRST_S: Final = 1.0
LONGEST_S: Final = 8.0  # so soon at the latest work goes on once there is room


class Room:
    """Whether the store is full, as the last try told, and when the next one is due."""

    def __init__(self) -> None:
        self.full = False
        self._wait_s = FIRST_S
        self._again_at_s = 0.0

    def may_try(self, now_s: float) -> bool:
        """Say whether a try is due at a time (monotonic, seconds)."""
        return not self.full or now_s >= self._again_at_s

    def refused(self, now_s: float) -> None:
        """Learn that there was no room: the next try waits twice as long as this one did."""
        if self.full:
            self._wait_s = min(2 * self._wait_s, LONGEST_S)
        self.full = True
        self._again_at_s = now_s + self._wait_s

    def took(self) -> None:
        """Learn that there is room."""
        self.full = False
        self._wait_s = FIRST_S
