"""Which gaps are reported: a dead channel as one, and of each file a bounded number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from acoio.clock import from_us, to_us
from acoio.sound import Gap

MOST_A_FILE: Final = 8
"""Gaps of a file that are reported one by one; the others are one `Gaps`, once it is over."""


@dataclass(frozen=True, slots=True)
class Gaps(Gap):
    """Gaps of a file, from the begin of the first to the end of the last: `lost_s` in all."""

    lost_s: float = 0.0

    @property
    def seconds(self) -> float:
        """Time without sound, in seconds."""
        return self.lost_s


@dataclass(frozen=True, slots=True)
class _Span:
    """Gaps so far, as plain values."""

    begin_us: int
    end_us: int
    lost_s: float
    reason: str = ""
    count: int = 1

    @classmethod
    def of(cls, gap: Gap) -> _Span:
        return cls(to_us(gap.begin), to_us(gap.end), gap.seconds, gap.reason)

    def with_gap(self, gap: Gap) -> _Span:
        return replace(
            self,
            end_us=to_us(gap.end),
            reason=gap.reason,
            lost_s=self.lost_s + gap.seconds,
            count=self.count + 1,
        )

    @property
    def times(self) -> tuple[datetime, datetime]:
        return from_us(self.begin_us), from_us(self.end_us)


class GapBook:
    """Takes gaps as they are found, and returns those to be reported.

    A channel is dead until a window was scored again: what lives in between is too short
    to be scored, and a gap with it.  `state` is all that it remembers, as JSON values.
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._dead = _Span(**state["dead"]) if "dead" in state else None
        self._file, self._count = state.get("file", ""), state.get("count", 0)
        self._more = _Span(**state["more"]) if "more" in state else None

    @property
    def state(self) -> dict[str, Any]:
        """What it remembers, as JSON values; empty where there is nothing."""
        found: dict[str, Any] = {}
        if self._count:
            found |= {"file": self._file, "count": self._count}
        spans = {"dead": self._dead, "more": self._more}
        return found | {name: asdict(span) for name, span in spans.items() if span}

    @property
    def dead(self) -> Gap | None:
        """The time for which the channel has been dead, if it is."""
        return Gap(*self._dead.times, self._dead.reason) if self._dead else None

    def begin(self, file: str) -> list[Gap]:
        """Return what is left to report of the file before; gaps are of this one from now on."""
        if file == self._file:
            return []
        left = self._left()
        self._file, self._count = file, 0
        return left

    def died(self, gap: Gap) -> None:
        """Take a gap in which records are there, and their channel is dead."""
        self._dead = self._dead.with_gap(gap) if self._dead else _Span.of(gap)

    def missing(self, gap: Gap) -> list[Gap]:
        """Return what to report now that records are missing."""
        return [*self.lives(), *self._report(gap)]

    def lives(self) -> list[Gap]:
        """Return what to report now that a window was scored, or the sound ends."""
        dead, self._dead = self.dead, None
        return self._report(dead) if dead else []

    def end(self) -> list[Gap]:
        """Return all that is left to report."""
        return [*self.lives(), *self.begin("")]

    def _report(self, gap: Gap) -> list[Gap]:
        self._count += 1
        if self._count <= MOST_A_FILE:
            return [gap]
        self._more = self._more.with_gap(gap) if self._more else _Span.of(gap)
        return []

    def _left(self) -> list[Gap]:
        more, self._more = self._more, None
        if not more:
            return []
        reason = f"{more.count} more gaps in {self._file}"
        return [Gaps(*more.times, reason, more.lost_s)]


def dead_channel(state: Mapping[str, Any]) -> Gap | None:
    """Return for how long a channel has been dead, by what was remembered of it, or None."""
    return GapBook(state.get("gaps")).dead
