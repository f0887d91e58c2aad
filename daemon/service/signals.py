"""What signals ask for, as events that the loop looks at: nothing is done where one comes in."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daemon.config import Config


@dataclass(frozen=True)
class Again:
    """Where a new configuration comes from: `asked` is set when somebody wants it read."""

    read: Callable[[], Config]
    asked: Event = field(default_factory=Event)


@contextmanager
def signals(*wanted: signal.Signals) -> Iterator[Event]:
    """Give what these signals set, and put the former handlers back."""
    came = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        came.set()

    former = {number: signal.signal(number, on_signal) for number in wanted}
    try:
        yield came
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
