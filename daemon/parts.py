"""What the loop drives: all of it made elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from daemon.catching_up import CatchingUp
from daemon.drop import Drop
from daemon.heart import Heart
from daemon.ledger import Ledger
from daemon.lookout import Lookout
from daemon.metrics import Metrics
from daemon.pace import Replay
from daemon.pipeline import Pipeline
from daemon.publish import Publisher
from daemon.room import Room


class Chore(Protocol):
    """Something beside the sound that is due now and then, a bounded piece at a time."""

    def do(self, now_s: float) -> None:
        """Do what is due at a time (monotonic, seconds), in some tens of milliseconds."""


@dataclass(frozen=True)
class Parts:
    """What the loop drives."""

    drop: Drop
    lookout: Lookout
    ledger: Ledger
    pipeline: Pipeline
    publisher: Publisher
    heart: Heart
    metrics: Metrics
    catching_up: CatchingUp
    room: Room
    chores: Sequence[Chore] = ()
    replay: Replay | None = None
