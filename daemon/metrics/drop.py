"""What is told of the drop: what came, what waits, what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from daemon.drop.arrivals import Task

OUTCOMES: Final = ("done", "duplicate", "set_aside", "vanished")
VERDICTS: Final = ("same", "cut", "replaced", "duplicate", "apart", "changed")


class DropMetrics:
    """Files by what became of them, and the backlog."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.files = Counter("kilokai_files", "Files finished", ["outcome"], registry=own)
        self.compared = Counter(
            "kilokai_files_compared",
            "Files that were not as they were left, by what their bytes say",
            ["verdict"],
            registry=own,
        )
        self.set_aside = Gauge(
            "kilokai_set_aside_files", "Files that are set aside now", registry=own
        )
        self.ignored = Gauge("kilokai_ignored_files", "Files that are no recording", registry=own)
        self.newest_arrival = Gauge(
            "kilokai_newest_arrival_time_seconds",
            "When a file was last seen to come or to grow; 0: not since the start",
            registry=own,
        )
        self.unreachable = Gauge(
            "kilokai_drop_unreachable", "1 while the drop cannot be listed", registry=own
        )
        self.unreadable = Gauge(
            "kilokai_unreadable_files",
            "Files and folders of the drop that may hold recordings and cannot be read",
            registry=own,
        )
        self._make_backlog(own)
        for outcome in OUTCOMES:
            self.files.labels(outcome)
        for verdict in VERDICTS:
            self.compared.labels(verdict)
        self._sizes: dict[str, int] = {}

    def _make_backlog(self, own: CollectorRegistry) -> None:
        self.backlog = Gauge("kilokai_backlog_files", "Files with work left", registry=own)
        self.backlog_seconds = Gauge(
            "kilokai_backlog_seconds", "Sound that waits, by the sizes of files", registry=own
        )
        self.backlog_left = Gauge(
            "kilokai_backlog_left_seconds", "How long what waits will take; 0: none, or unknown",
            registry=own,
        )  # fmt: skip

    def take_waiting(self, tasks: Iterable[Task], *, all_of_them: bool) -> None:
        """Learn what waits to be read: what was not there, or was smaller, has arrived."""
        sizes = {task.seen.name: task.seen.size for task in tasks if task.do == "read"}
        if any(size > self._sizes.get(name, -1) for name, size in sizes.items()):
            self.newest_arrival.set(time.time())
        self._sizes = sizes if all_of_them else {**self._sizes, **sizes}
