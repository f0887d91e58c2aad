"""How far a file of the drop was read, and what else one step of work leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from detector.values import Score

State = Literal["pending", "done", "duplicate", "set_aside", "vanished"]
FINISHED: Final = ("done", "duplicate")

Lane = Literal["live", "backlog"]
"""New sound, and what came late or had to wait, are heard side by side."""

LANES: Final[tuple[Lane, ...]] = ("live", "backlog")


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far one file was read.

    `name` is its path within the drop; `size`, `inode`, `mtime_ns` and `ctime_ns` as it
    was listed last; `bytes_read` where the next record begins, and `checksum` the CRC-32
    of all before it, as it was read; `damaged_bytes` gave no sound, and `tail_bytes` at
    the end were no whole record when the file was closed.
    `reason` is why it was set aside, or the first complaint about it.  `head` is the
    SHA-256 of the first `head_bytes`, `sha256` that of the whole file once it is
    closed, `twin` a file that begins with the same bytes.  `attempts` counts the
    times that reading was begun since it last got on, `rereads` the times that it held
    other bytes at its close than were read.  A file is `late` if the one
    after it was heard first, and that one is to be heard again (`rehear`).
    Its sound lies between `begin_us` and `end_us` (UTC, both 0 before there is any) and
    is `span_samples` long as `acoio.read` gives it, silence for what lacks within.
    """

    name: str
    size: int = 0
    inode: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    bytes_read: int = 0
    checksum: int = 0
    samples_read: int = 0
    records: int = 0
    damaged_bytes: int = 0
    tail_bytes: int = 0
    state: State = "pending"
    reason: str = ""
    head: str = ""
    head_bytes: int = 0
    sha256: str = ""
    twin: str = ""
    attempts: int = 0
    rereads: int = 0
    late: bool = False
    rehear: bool = False
    begin_us: int = 0
    end_us: int = 0
    span_samples: int = 0


@dataclass(frozen=True, slots=True)
class LaneState:
    """Where a lane stands: its open event, the file heard last, and how many records of it."""

    tracker: Mapping[str, Any] = field(default_factory=dict)
    heard: str | None = None
    records: int = 0


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

    `events` are JSON values by their public names.  `files` and `lanes` are those
    that changed, and `model` the model announced, or None.  `published` is the newest
    number sent so far.  `held` are the events held back first here, by their hour, `told`
    the hours summed up.  `verdicts` are rows of that table: an event's id, when, and the
    JSON.
    """

    published: int = 0
    files: tuple[FileProgress, ...] = ()
    scores: tuple[Score, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    lanes: Mapping[Lane, LaneState] = field(default_factory=dict)
    model: str | None = None
    held: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    verdicts: tuple[tuple[str, str, str], ...] = ()
