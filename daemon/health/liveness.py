"""Whether the daemon may say that it lives (pure): work goes on, or honestly there is none."""

from __future__ import annotations

from dataclasses import replace

from daemon.progress import FileProgress


class Liveness:
    """What is known of the work since it went on last.

    A loop that turns proves nothing. Once a scan finds something to do, only a step that
    changes what is known of a file clears it. A step that changes nothing counts as well,
    as where a file that grows has no whole record yet, but once for a file of a size.
    """

    def __init__(self) -> None:
        self._waits = self._refused = False
        self._in_vain: dict[str, int] = {}
        self._came: set[tuple[str, int]] = set()

    def is_alive(self) -> bool:
        """Say whether nothing waits that could have been done."""
        return not (self._waits or self._refused)

    def found(self, *, due: bool, waiting: bool) -> None:
        """Learn what a scan found: something to do now, or anything to do at all."""
        self._waits = due
        self._refused = self._refused and waiting
        if not waiting:
            self._came.clear()

    def refused(self) -> None:
        """Learn that the ledger did not take what was done, and not for want of room."""
        self._refused = True

    def not_given(self) -> None:
        """Learn that the drop does not give what was to be done: that is not our fault."""
        self._waits = False
        self._came.clear()

    def came(self, name: str, byte: int) -> bool:
        """Learn that a piece of a file came back; say whether that is life.

        It is, once until work goes on: a step may read many pieces, each of them slowly, but
        a step that is done again and again in vain reads the same ones.
        """
        is_new = (name, byte) not in self._came
        self._came.add((name, byte))
        return is_new

    def did(self, name: str, size: int, *, changed: bool) -> None:
        """Learn that a step of a file of so many bytes was done, and whether it got on."""
        if changed:
            self._in_vain.clear()
            self._came.clear()
        elif self._in_vain.get(name) == size:
            return
        else:
            self._in_vain[name] = size
        self._waits = self._refused = False


def got_on(before: FileProgress | None, after: FileProgress | None) -> bool:
    """Say whether more is known of a file than before; that it was tried once more is not more."""
    if before is None or after is None:
        return before != after
    return replace(before, attempts=0) != replace(after, attempts=0)
