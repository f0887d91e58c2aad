"""How far a file of the drop was read, and what else one step of work leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from detector.values import Score

State = Literal["pending", "done", "set_aside"]


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far one file was read.

    `name` is its path within the drop; `bytes_read` where the next record
    begins; `damaged_bytes` gave no sound, and `tail_bytes` at the end were no
    whole record when the file was closed.  `reason` is why it was set aside, or
    the first complaint about it.
    """

    name: str
    size: int = 0
    inode: int = 0
    bytes_read: int = 0
    samples_read: int = 0
    records: int = 0
    damaged_bytes: int = 0
    tail_bytes: int = 0
    state: State = "pending"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A numbered message, as it is kept and sent: `text` is its JSON."""

    sequence: int
    topic: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of work leaves: it is committed whole or not at all.

    `events` are JSON values by their public names.  `tracker` is the open
    event, `heard` the file heard last and `model` the model announced; None
    leaves them as they were.  `published` is the newest number sent so far.
    `verdicts` are rows of that table: an event's id, when, and the JSON.
    """

    published: int
    file: FileProgress | None = None
    scores: tuple[Score, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    tracker: Mapping[str, Any] | None = None
    heard: str | None = None
    model: str | None = None
    verdicts: tuple[tuple[str, str, str], ...] = ()
