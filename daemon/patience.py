"""How long to wait before something is tried again (pure)."""

from __future__ import annotations

from typing import Final

_LONGEST_S: Final = 600.0


class Patience:
    """Doubles the wait after each failure of a thing; what works is forgotten."""

    def __init__(self, first_s: float) -> None:
        self.first_s = first_s
        self._failed: dict[str, tuple[int, float]] = {}

    def failed(self, what: str, now_s: float) -> int:
        """Learn that something failed at a time (monotonic), and return how often it did."""
        tries = self.tries(what) + 1
        wait_s = min(self.first_s * 2.0 ** min(tries - 1, 30), _LONGEST_S)
        self._failed[what] = tries, now_s + wait_s
        return tries

    def worked(self, what: str) -> None:
        """Learn that something works."""
        self._failed.pop(what, None)

    def tries(self, what: str) -> int:
        """Return how often something failed since it worked last."""
        return self._failed.get(what, (0, 0.0))[0]

    def is_due(self, what: str, now_s: float) -> bool:
        """Say whether something may be tried."""
        return now_s >= self._failed.get(what, (0, 0.0))[1]
