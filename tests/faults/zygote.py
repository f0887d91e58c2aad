"""Starts daemons in hundredths of a second: `python -m tests.faults.zygote` forks them.

Everything is imported once, and each order (a line of JSON) gives a process of its
own that runs the command as `python -m daemon.cli` would, with scores that need no
model.  No order is obeyed after the first inference, so a fork is safe here.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1
_CAPABILITY_VERSION_3: Final = 0x20080522
_DAC_OVERRIDE_AND_READ_SEARCH: Final = (1 << 1) | (1 << 2)
_libc = ctypes.CDLL(None)


def main() -> None:
    """Obey until nobody orders any more."""
    importlib.import_module(
        "tests.daemon.loud_daemon"
    )  # before anything takes the model that it stands for

    run = importlib.import_module("daemon.cli").main
    importlib.import_module("daemon.service.run")  # torch takes seconds: once for all

    gc.freeze()  # what all share is not copied at the first collection
    alive: set[int] = set()
    _say(ready=os.getpid())
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            _, status = os.waitpid(order["reap"], 0)
            alive.discard(order["reap"])
            _say(code=os.waitstatus_to_exitcode(status))
            continue
        pid = os.fork()
        if not pid:
            _become(order, run)
        alive.add(pid)
        _say(pid=pid)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)


def _say(**numbers: int) -> None:
    sys.stdout.write(json.dumps(numbers) + "\n")
    sys.stdout.flush()


def _become(order: dict[str, Any], run: Any) -> None:
    """Be the process that was ordered, and never return."""
    code = 1
    try:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _redirect(order)
        os.setsid()
        for kind, most in order["limits"].items():
            resource.setrlimit(getattr(resource, kind), (most, most))
        os.environ.update(order["environ"])
        if order["plain"]:
            _give_up_overriding()
        if order["hook"]:
            _hooked(order["hook"])
        if order["held"]:
            os.kill(os.getpid(), signal.SIGSTOP)
        sys.argv = ["kilokai", *order["words"]]
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _give_up_overriding() -> None:
    """Let root be refused what the mode of a file refuses: without CAP_DAC_*, as any user is."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    held = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; low and high words
    if _libc.capget(header, held):
        raise OSError("capget")
    for k in range(2):
        held[k] &= ~_DAC_OVERRIDE_AND_READ_SEARCH
    if _libc.capset(header, held):
        raise OSError("capset")


def _hooked(hook: str) -> None:
    from tests.faults import hooks

    kind, _, name = hook.partition(":")
    hooks.install(kind, name)


def _redirect(order: dict[str, Any]) -> None:
    appended = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    wanted = [("/dev/null", os.O_RDONLY), (order["out"], appended), (order["log"], appended)]
    for target, (path, flags) in enumerate(wanted):
        handle = os.open(path, flags, 0o644)
        os.dup2(handle, target)
        os.close(handle)


if __name__ == "__main__":
    main()
