"""What the loop drives, all of it made elsewhere: the parts, and what a chore is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from daemon.bus.process import BusProcess
from daemon.drop.catching_up import CatchingUp
from daemon.drop.files import Drop
from daemon.drop.lookout import Lookout
from daemon.drop.pace import Replay
from daemon.health.heart import Heart
from daemon.hearing.pipeline import Pipeline
from daemon.ledger.ledger import Ledger
from daemon.metrics import Metrics
from daemon.service.room import Room


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
    bus: BusProcess
    heart: Heart
    metrics: Metrics
    catching_up: CatchingUp
    room: Room
    chores: Sequence[Chore] = ()
    replay: Replay | None = None
