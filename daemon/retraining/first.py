"""The station's first model: by it a loss is told that is slower than retraining.

Each retraining might lose so little that nobody minds, and the next one begins from there.
So the newest evenings are also compared with the calibration of the first model of all that
retraining made since a person last chose one by hand, and the candidate with what it finds:
that choice says that all is well as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from acoio.errors import SetupError
from daemon.models.history import Switch
from daemon.models.registry import Registry
from detector.checkpoint import read_model
from detector.score import Model


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


def first_model(registry: Registry) -> Model | None:
    """Return the first champion that is still there, whole, and of a station."""
    for name in lineage(registry.history()):
        with suppress(SetupError):
            model = read_model(registry.folder(name))
            if of_a_station(model.card) and model.reference:
                return model
    return None


def of_a_station(card: Mapping[str, Any]) -> bool:
    """Say whether a model was calibrated on hours that were chosen of recordings."""
    return "choice" in card.get("data", {})
