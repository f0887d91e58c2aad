"""How a Python process of ours is started: it imports and reads nothing from where we were."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from daemon.config import PREFIX

FOLDER: Final = "/"
"""Where it works: a folder in which only root can leave a `matplotlibrc`, or a module."""

SAFE_PATH: Final = "PYTHONSAFEPATH"
"""The name by which the processes that a library of ours spawns leave that folder out, too."""

_DAEMONS: Final = ("CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
_MATPLOTLIB: Final = ("MATPLOTLIBRC", "MPLBACKEND")


def helper_command(module: str) -> list[str]:
    """Return the words that run a module of ours; `-P`: the working folder gives no modules."""
    return [sys.executable, "-P", "-m", module]


def helper_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what is the daemon's alone: its settings and its unit's."""
    left_out = (*_DAEMONS, *_MATPLOTLIB)
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(PREFIX) and name not in left_out
    }
    return {**kept, SAFE_PATH: "1"}
