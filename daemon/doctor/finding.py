"""What a check finds, and how checks are run: none stops the others, and none hangs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from acoio.errors import AcoError
from daemon.deadline import Worker

_T = TypeVar("_T")
Mark = Literal["ok", "warn", "fail"]
MARKS: Final[tuple[Mark, ...]] = ("ok", "warn", "fail")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what is so, and what to do about it, "" for nothing."""

    check: str
    mark: Mark
    says: str
    do: str = ""


Told = Iterable[tuple[Mark, str, str]]
"""Findings of a check: the mark, what is so, what to do."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its name; it is given up after its deadline (seconds)."""

    name: str
    run: Callable[[], Told]
    deadline_s: float = 10.0


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Yield what each check finds, as it is found."""
    for check in checks:
        for mark, says, do in _bounded(check):
            yield Finding(check.name, mark, says, do)


def in_time(call: Callable[[], _T], what: str, deadline_s: float) -> _T:
    """Return what a call gives, as long as it answers.

    Raises
    ------
    NotReadyError
        If it did not in time; it is left to itself.
    """
    return Worker(what, deadline_s=deadline_s).call(call, meanwhile=lambda: True)


def _bounded(check: Check) -> Told:
    """Return what a check finds: an error or no answer in time is a finding, too."""
    try:
        return in_time(lambda: list(check.run()), check.name, check.deadline_s)
    except AcoError as error:
        return [("fail", str(error), "")]
    except Exception as error:  # whatever it is, the other checks are still worth having
        return [("fail", f"{type(error).__name__}: {error}", "this is a bug: please report it")]
