"""The service: one thread, one ExitStack, one loop."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event
from types import FrameType

import structlog

from daemon.aside import guarded
from daemon.assembly import assemble
from daemon.config import Config
from daemon.notify import notify
from daemon.pace import Replay
from daemon.reload import Again

_log = structlog.get_logger()


def run(
    config: Config,
    *,
    until_idle: bool = False,
    replay: Replay | None = None,
    read: Callable[[], Config] | None = None,
) -> int:
    """Watch, score and publish until a signal, or until all is done; return the exit code.

    A `replay` shows the drop as if it arrived now; `read` gives the configuration
    again on SIGHUP.

    Raises
    ------
    SetupError
        If it cannot work so: a port or the store is in use, or there is no such model.
    """
    with ExitStack() as stack:
        stop = stack.enter_context(signals(signal.SIGTERM, signal.SIGINT))
        asked = stack.enter_context(signals(signal.SIGHUP)) if read else Event()
        with guarded(config.store.path):  # innermost: a failing disk is left with all open
            service = assemble(stack, config, replay, Again(read or (lambda: config), asked))
            notify("READY=1", os.environ)
            stack.callback(notify, "STOPPING=1", os.environ)
            code = service.loop.run(stop, until_idle=until_idle)
            if until_idle:
                service.evidence.finish(stop, service.loop.attend)
            service.say_stopped()
        _log.info("stopping", exit_code=code)
        return code


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
