"""A new configuration while the daemon runs: what can be taken up is, the rest is named.

What is taken up and what wants a restart is decided by `settings.live.change`; this file
brings it to the parts.  It happens between two steps of work, so no window is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from acoio.errors import NotReadyError, SetupError
from daemon.config import Config, ConfigError
from daemon.drop.lookout import Lookout
from daemon.evidence.chore import EvidenceChore
from daemon.health.heart import Heart
from daemon.health.status_file import StatusFile
from daemon.hearing.keeping import Keeper
from daemon.ledger.old_messages import OldMessages
from daemon.service.loop import Loop
from daemon.service.signals import Again
from daemon.settings.live import change
from detector.values import iso

_log = structlog.get_logger()


@dataclass(frozen=True)
class Live:
    """The parts that take something up while they run."""

    loop: Loop
    lookout: Lookout
    keeper: Keeper
    evidence: EvidenceChore
    old_messages: OldMessages
    heart: Heart
    status_file: StatusFile

    def take(self, config: Config) -> None:
        """Let a configuration be in force, as far as `settings.live` lets it differ."""
        self.loop.look_every(config.drop.rescan_s)
        self.lookout.look_every(rescan_s=config.drop.rescan_s, settle_s=config.drop.settle_s)
        self.keeper.send_at_most(config.alerts.most_per_hour)
        self.evidence.take_settings(config.evidence)
        self.old_messages.keep(days=config.store.messages_days)
        self.heart.beat_every(config.bus.heartbeat_s)
        self.status_file.write_every(config.bus.heartbeat_s)


class Reload:
    """The chore that reads the configuration again when asked to.

    `renew` reads the files that guard the metrics again, each time and whatever came of the
    configuration (their places want a restart).
    """

    def __init__(self, config: Config, again: Again, *, renew: Callable[[], None]) -> None:
        self._config = config
        self._again = again
        self._renew = renew
        self._at: str | None = None
        self._waiting: tuple[str, ...] = ()
        self._faults: tuple[str, ...] = ()
        self._bring: Callable[[Config], None] = lambda _: None

    def join(self, bring: Callable[[Config], None]) -> None:
        """Let a configuration be brought to the parts so, once these are made."""
        self._bring = bring

    def said(self) -> dict[str, Any]:
        """Return what the status says: when one was last taken up, and what is wrong or waits."""
        return {
            "config": {
                "reloaded": self._at,
                "restart_for": list(self._waiting),
                "faults": list(self._faults),
            }
        }

    def do(self, now_s: float) -> None:  # noqa: ARG002 - whoever asks, asks for now
        """Read it if somebody asked."""
        if not self._again.asked.is_set():
            return
        self._again.asked.clear()
        faults: list[str] = []
        try:
            self._take(self._again.read())
        except (SetupError, NotReadyError) as error:
            faults += map(str, error.faults if isinstance(error, ConfigError) else (error,))
            _log.error("configuration not reloaded: nothing was changed", faults=faults)
        try:
            self._renew()
        except (SetupError, NotReadyError) as error:
            faults.append(str(error))
            _log.error("metrics guarded as before: a file does not serve", fault=faults[-1])
        self._faults = tuple(faults)

    def _take(self, new: Config) -> None:
        found = change(self._config, new)
        if found.taken:
            self._bring(found.config)
        self._config, self._waiting = found.config, found.refused
        self._at = iso(datetime.now(UTC))
        _log.info("configuration reloaded", changed=found.taken, restart_for=found.refused)
