"""Which model was champion when, and why: one line for each switch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, Literal

from daemon.models.link import is_id

FILE: Final = "history.jsonl"

By = Literal["promote", "rollback", "retrain"]
BY: Final[tuple[By, ...]] = ("promote", "rollback", "retrain")


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of the champion; where `model` or `previous` is None, `detector.model` scores."""

    time: str
    model: str | None
    previous: str | None
    by: By
    reason: str = ""


def parsed(text: str) -> list[Switch]:
    """Return the switches of a history, oldest first; a line that is none is passed over."""
    return [switch for line in text.splitlines() if (switch := _switch(line))]


def _switch(line: str) -> Switch | None:
    try:
        switch = Switch(**json.loads(line))
        datetime.fromisoformat(switch.time)
    except (ValueError, TypeError, RecursionError):
        return None
    models = all(model is None or is_id(model) for model in (switch.model, switch.previous))
    return switch if models and switch.by in BY and isinstance(switch.reason, str) else None


def written(switches: Sequence[Switch]) -> bytes:
    """Return what the file of a history holds."""
    return "".join(json.dumps(asdict(switch)) + "\n" for switch in switches).encode()


def happened(switches: Sequence[Switch], current: str | None) -> list[Switch]:
    """Return the switches that took place: a switch is noted just before it is made.

    Whoever was killed in between left a last line that leads away from what is current.
    """
    last = switches[-1] if switches else None
    undone = last and last.model != current and last.previous == current
    return list(switches[:-1] if undone else switches)


def champions(switches: Sequence[Switch], current: str | None) -> list[str | None]:
    """Return the champions that a rollback goes back through, the present one last."""
    before = [switches[0].previous] if switches else []
    every = [*before, *(switch.model for switch in standing(switches)), current]
    return [name for name, _ in groupby(every)]


def lineage(switches: Sequence[Switch]) -> list[str]:
    """Return the champions since a person last chose one, that one first.

    What was taken back is none of them.
    """
    found: list[str] = []
    for switch in reversed(standing(switches)):
        if switch.model is None:
            break
        found.append(switch.model)
        if switch.by == "promote":
            break
    return found[::-1]


def standing(switches: Sequence[Switch]) -> list[Switch]:
    """Return the switches that no rollback has taken back.

    It takes back what came after the model it went to, so that the next one goes back
    further.  Who promotes the champion again has chosen it anew.
    """
    stack: list[Switch] = []
    for switch in switches:
        known = {switches[0].previous, *(former.model for former in stack)}
        if switch.by == "rollback" and switch.model in known:
            while stack and stack[-1].model != switch.model:
                stack.pop()
        elif stack and stack[-1].model == switch.model:
            stack[-1] = switch
        else:
            stack.append(switch)
    return stack
