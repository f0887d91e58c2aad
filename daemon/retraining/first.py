"""What the station sounded like at first: by this a death is told that is slower than retraining.

Each retraining might lose so little that nobody minds, and the next one begins from there.
So the newest evenings are also compared with the calibration of the first model of all that
retraining made since a person last chose one by hand: that says that all is well as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from acoio.errors import SetupError
from daemon.models.history import Switch
from daemon.models.registry import Registry
from detector.checkpoint import read_card
from detector.drift import Reference


def lineage(switches: Sequence[Switch]) -> list[str]:
    """Return the champions since a person last chose one, that one first (pure)."""
    found: list[str] = []
    for switch in reversed(switches):
        if switch.model is None:
            break
        found.append(switch.model)
        if switch.by == "promote":
            break
    return found[::-1]


def first_reference(registry: Registry) -> Reference | None:
    """Return the reference of the first champion that is still there and is of a station."""
    for model in lineage(registry.history()):
        with suppress(SetupError, KeyError, TypeError, ValueError):
            card = read_card(registry.folder(model))
            if of_a_station(card):
                return Reference.from_json(card["reference"])
    return None


def of_a_station(card: Mapping[str, Any]) -> bool:
    """Say whether a model was calibrated on hours that were chosen of recordings."""
    return "choice" in card.get("data", {})
