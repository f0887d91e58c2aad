"""When to look at the drop, and what there is to do there."""

from __future__ import annotations

import time
from typing import Final

from acoio.errors import NotReadyError
from daemon.drop.arrivals import Arrivals, Plan, Task
from daemon.drop.files import Drop
from daemon.drop.watch import Watch
from daemon.ledger.files import Files

_SOONEST_S: Final = 0.1  # between two scans
_SCANNING_SHARE: Final = 0.1  # of the time, unless `rescan_s` comes first
_QUIET_SHARE: Final = 0.005  # of the time, while nothing waits, unless a minute comes first
_QUIET_S: Final = 60.0
_LOOKS_A_SETTLING: Final = 10
_GLANCES_S: Final = 0.25  # between two looks at files that grow
_GROWING: Final = 4  # files that are looked at without any hint, the newest


class Lookout:
    """Scans the drop when that is due, and looks at files that grow in between.

    `plan` is what the last scan said, or None if there is none; `missing` says that
    the drop could not be listed.
    """

    def __init__(
        self,
        drop: Drop,
        watch: Watch,
        arrivals: Arrivals,
        files: Files,
        *,
        rescan_s: float,
        settle_s: float,
    ) -> None:
        self._drop = drop
        self._watch = watch
        self._arrivals = arrivals
        self._files = files
        self._scanning = False
        self._begun_s = self._due_s = self._soonest_s = self._glance_s = time.monotonic()
        self.plan: Plan | None = None
        self.missing = False
        self.look_every(rescan_s=rescan_s, settle_s=settle_s)

    def look_every(self, *, rescan_s: float, settle_s: float) -> None:
        """Scan so often, and take a file for complete after so long, from the next scan on."""
        self._rescan_s = rescan_s
        self._waiting_s = min(rescan_s, settle_s / _LOOKS_A_SETTLING)
        self._arrivals.settle_after(settle_s)
        self.again()

    @property
    def hinted(self) -> bool:
        """Say whether something changed that no scan has told of."""
        return self._scanning or self._watch.hint.is_set()

    def look(self) -> Plan | None:
        """Return what a scan says, if one was done just now.

        Raises
        ------
        NotReadyError
            If the drop cannot be listed, or has not answered in time.
        """
        now_s = time.monotonic()
        if not self._scanning and not self._is_due(now_s):
            return None
        if not self._scanning:
            self._watch.hint.clear()
            self._scanning, self._begun_s = True, now_s
        try:
            listing = self._drop.scan()
        except NotReadyError:
            self._scanning, self.plan, self.missing = False, None, True
            self._due_s = self._soonest_s = now_s + self._rescan_s
            raise
        if listing is None:
            return None
        self._scanning = self.missing = False
        judged_s = time.thread_time()
        self.plan = self._arrivals.look(listing, self._files, now_s)
        self._files.hold({seen.name for seen in listing})
        spent_s = self._drop.scan_cpu_s + time.thread_time() - judged_s
        end_s = time.monotonic()
        rest_s = min((end_s - self._begun_s) / _SCANNING_SHARE, self._rescan_s)  # it may have hung
        self._soonest_s = max(self._begun_s + _SOONEST_S, end_s + rest_s)
        self._due_s = max(self._begun_s + self._pause_s(self.plan, spent_s), self._soonest_s)
        return self.plan

    def glance(self) -> list[Task]:
        """Return the files that grew and can be read on, without a scan.

        Raises
        ------
        NotReadyError
            If the drop has not answered in time.
        """
        now_s = time.monotonic()
        if now_s < self._glance_s or self.plan is None:
            return []
        self._glance_s = now_s + _GLANCES_S
        grown = {name for name in self._watch.grown() if self._is_pending(name)}
        names = grown | set(self.plan.waiting[-_GROWING:])
        if not names:
            return []
        tasks = [self._arrivals.glance(s, self._files, now_s) for s in self._drop.glance(names)]
        return [task for task in tasks if task]

    def _is_pending(self, name: str) -> bool:
        """Say whether a file is known and not done; of what is new, the scan knows the order."""
        return name in self._files and self._files[name].state == "pending"

    def exhausted(self, task: Task) -> None:
        """Learn that a file holds no further whole record, for now."""
        self._arrivals.exhausted(task, self._files)

    def again(self) -> None:
        """Scan soon: something was done that changes what there is to do."""
        self._due_s = self._soonest_s

    def _is_due(self, now_s: float) -> bool:
        return now_s >= self._due_s or (self._watch.hint.is_set() and now_s >= self._soonest_s)

    def _pause_s(self, plan: Plan, spent_s: float) -> float:
        """Return how long the next scan may wait unless something hints at it.

        `spent_s` is what the last one took of a core.
        """
        if plan.held:
            return _SOONEST_S
        if plan.waiting:
            return self._waiting_s
        return quiet_pause_s(self._rescan_s, spent_s)


def quiet_pause_s(rescan_s: float, spent_s: float) -> float:
    """Return the time between two scans while nothing waits, if one takes `spent_s` of a core."""
    return max(rescan_s, min(spent_s / _QUIET_SHARE, _QUIET_S))
