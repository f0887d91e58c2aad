"""The service: one thread, one ExitStack, one loop."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack

import structlog

from daemon.config import Config
from daemon.drop.pace import Replay
from daemon.errors import EXIT_DONE
from daemon.health.notify import notify
from daemon.ledger.aside import guarded
from daemon.owner import private_files, require_owner
from daemon.service.assembly import assemble
from daemon.service.signals import Again, signals

_log = structlog.get_logger()


def run(
    config: Config,
    *,
    until_idle: bool = False,
    replay: Replay | None = None,
    again: Again | None = None,
    show: Callable[[float, float], None] | None = None,
) -> int:
    """Watch, score and publish until a signal, or until all is done; return the exit code.

    A `replay` shows the drop as if it arrived now; `again` gives another configuration; `show`
    gets each second how many seconds of sound were heard, of how many.

    Raises
    ------
    SetupError
        If it cannot work so: there is no such model, or root asks and the store is another's.
    NotReadyError
        As `open_ground`.
    """
    require_owner(config.store.path)
    with ExitStack() as stack:
        stack.enter_context(private_files())
        stop = stack.enter_context(signals(signal.SIGTERM, signal.SIGINT))
        with guarded(config.store.path):  # innermost: a failing disk is left with all open
            service = assemble(stack, config, replay, again)
            service.catching_up.is_archive = until_idle or replay is not None
            service.catching_up.show = show
            service.status_file.start()
            notify("READY=1", os.environ)
            stack.callback(notify, "STOPPING=1", os.environ)
            code = service.loop.run(stop, until_idle=until_idle)
            if until_idle:
                service.evidence.finish(stop, service.loop.attend)
            finished = until_idle and code == EXIT_DONE and not stop.is_set()
            service.say_stopped(finished=finished)
        _log.info("stopping", exit_code=code)
        return code
