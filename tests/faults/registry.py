"""The catalogue: every fault, how it is injected for real, and what must then happen."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.faults.lab import Lab

Said = Generator[None, None, str | None]
"""What an injection gives that has more to look at once the oracle has spoken."""

Injection = Callable[["Lab"], str | Said | None]


@dataclass(frozen=True)
class Fault:
    """One fault: `inject` prepares it, lets it happen, and may say what it counted.

    A generator yields where the oracle is to speak, and goes on to look at what is then known.
    """

    number: int
    name: str
    how: str
    wanted: str
    inject: Injection
    needs: tuple[str, ...] = ()
    fast: bool = True

    @property
    def slug(self) -> str:
        """What it goes by on the command line."""
        return f"{self.number}-{self.inject.__name__}"


FAULTS: Final[list[Fault]] = []
ELSEWHERE: Final[dict[int, tuple[str, str]]] = {}
"""Faults of the catalogue that cannot be injected yet: name, and why."""


def fault(
    number: int, name: str, *, how: str, wanted: str, needs: tuple[str, ...] = (), fast: bool = True
) -> Callable[[Injection], Injection]:
    """Enter a function into the catalogue as the injection of a fault."""

    def entered(inject: Injection) -> Injection:
        FAULTS.append(Fault(number, name, how, wanted, inject, needs, fast))
        return inject

    return entered
