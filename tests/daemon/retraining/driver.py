"""A retraining in a process of its own, which kills itself after it has said so many lines."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
import torch

from daemon.retraining.course import retrain
from tests.daemon.retraining.bench import config_of, make_quick


def main() -> None:
    drop, store, champion, *words = sys.argv[1:]
    make_quick(pytest.MonkeyPatch())
    torch.set_num_threads(1)
    lines = retrain(config_of(Path(drop), Path(store), Path(champion)), seed=1)
    for _ in range(int(words[0])):
        next(lines)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
