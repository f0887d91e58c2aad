"""The station's first model: by it a loss is told that is slower than retraining.

Each retraining might lose so little that nobody minds, and the next one begins from there.
So the newest evenings are also compared with the calibration of the first model of all that
retraining made since a person last chose one by hand, and the candidate with what it finds:
that choice says that all is well as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from acoio.errors import SetupError
from daemon.models.history import lineage
from daemon.models.registry import Registry
from detector.checkpoint import read_card, read_model
from detector.drift import Reference
from detector.score import Model


def first_model(registry: Registry, champion: Model, since: datetime | None) -> Model | None:
    """Return the first champion that hears the same windows, if it is another than the present."""
    for name in of_lineage(registry, since):
        with suppress(SetupError):
            model = read_model(registry.folder(name))
            if model.features == champion.features and model.reference:
                return None if model.id == champion.id else model
    return None


def references(
    champion: Model, first: Model | None, since: datetime | None
) -> dict[str, Reference | None]:
    """Return the sound that models of the hydrophone as it is were calibrated on, by whose."""
    own = {"champion": champion.reference if of_the_hydrophone(champion.card, since) else None}
    return {"station's first model": first.reference, **own} if first else own


def of_lineage(registry: Registry, since: datetime | None) -> list[str]:
    """Return the champions since a person chose one, of the hydrophone as it is, first to last."""
    found = []
    for name in lineage(registry.history()):
        with suppress(SetupError):
            if of_the_hydrophone(read_card(registry.folder(name)), since):
                found.append(name)
    return found


def of_the_hydrophone(card: Mapping[str, Any], since: datetime | None) -> bool:
    """Say whether a model was calibrated on recordings of the hydrophone as it is now.

    `since` is when that, or its gain, was last changed, if it ever was.
    """
    data = card.get("data", {})
    if "choice" not in data or since is None:
        return "choice" in data
    begin = data["spans"]["calibration"]["begin"]
    return begin is not None and datetime.fromisoformat(begin) >= since
