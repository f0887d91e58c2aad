"""A retraining in a process of its own, which kills itself after it has said so many lines.

Or, told `registered`, once the candidate is registered and not the champion yet.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
import torch

from daemon.models.registry import Registry
from daemon.retraining import course
from daemon.retraining.course import retrain
from tests.daemon.retraining.bench import REGISTERED, config_of, make_quick, quickly


def main() -> None:
    drop, store, champion, when = sys.argv[1:]
    patch = pytest.MonkeyPatch()
    make_quick(patch)
    torch.set_num_threads(1)
    lines = retrain(config_of(Path(drop), Path(store), Path(champion)), seed=1)
    if when == REGISTERED:
        patch.setattr(course, "measured", quickly)
        patch.setattr(Registry, "promote", _end)
        for _ in lines:
            pass
    for _ in range(int(when)):
        next(lines)
    _end()


def _end(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
