"""What is wrong with a configuration: `found ..., wanted ...`, and where it was said."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from acoio.errors import SetupError
from daemon.options import Config

_NEAR: Final = 0.6  # of 1: a name that is so much alike was probably meant


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one key, and where its value came from, "" if from nowhere.

    Of a file that is FILE:LINE.
    """

    key: str
    says: str
    origin: str = ""

    @property
    def line(self) -> float:
        """In which line of a file it stands; past them all if in none."""
        _, _, number = self.origin.rpartition(":")
        return int(number) if number.isdecimal() else math.inf

    def __str__(self) -> str:
        return f"{self.key}: {self.says}" + (f" ({self.origin})" if self.origin else "")


class ConfigError(SetupError):
    """A wrong configuration, with every fault of it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("wrong configuration:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = tuple(faults)


def innermost(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Return what pydantic found, but not a list of which a part is at fault."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail, loc in zip(details, places, strict=True)
        if not any(loc != other and loc == other[: len(loc)] for other in places)
    ]


def fault_of(detail: ErrorDetails, origins: Mapping[str, str]) -> Fault:
    """Return what pydantic found as a fault; `origins` say where each key was said."""
    where = tuple(str(part) for part in detail["loc"])
    found = "nothing" if detail["type"] == "missing" else _shown(detail["input"])
    origin = "" if detail["type"] == "missing" else origins.get(".".join(where[:2]), "")
    key = ".".join(part for part in where if not part.isdecimal())  # of a list, the whole
    return Fault(key, f"found {found}, wanted {_wanted(where)}", origin)


def _shown(value: Any) -> str:
    """Return a value as TOML would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "a table" if isinstance(value, Mapping) else f"{value!r:.200}"


def _wanted(where: tuple[str, ...]) -> str:
    model: type[BaseModel] = Config
    for depth, part in enumerate(where):
        option = model.model_fields.get(part)
        if option is None:
            return _one_of(part, list(model.model_fields))
        inner = option.annotation
        if depth + 1 < len(where) and isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
        else:
            return option.description or f"a table with {_keys(inner)}"
    return "something else"


def _one_of(found: str, names: Sequence[str]) -> str:
    """Return what names there are, and first the one that was probably meant."""
    near = difflib.get_close_matches(found, names, n=1, cutoff=_NEAR)
    return f"one of {', '.join(names)}" + (f"; did you mean {near[0]}?" if near else "")


def _keys(table: Any) -> str:
    return ", ".join(table.model_fields)
