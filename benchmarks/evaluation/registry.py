"""The tasks there are, by the letter of their module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks.evaluation import digits, right_whales
from benchmarks.evaluation.task import Task

_MODULES: Final[Mapping[str, Callable[[Path], Sequence[Task]]]] = {
    "A": digits.tasks,
    "B": right_whales.tasks,
}
LETTERS: Final = tuple(_MODULES)


@cache
def tasks_of(letter: str, data: Path) -> Sequence[Task]:
    """Return the tasks of a letter on the data in a folder; nothing is read yet."""
    return _MODULES[letter](data)


def task_of(key: str, data: Path) -> Task:
    """Return the task of a key, which begins with its letter."""
    return next(task for task in tasks_of(key[0], data) if task.key == key)
