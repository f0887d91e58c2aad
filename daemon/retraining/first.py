"""The station's first model: by it a loss is told that is slower than retraining.

Each retraining might lose so little that nobody minds, and the next one begins from there.
So the newest evenings are also compared with the calibration of the first champion since a
person last chose one by hand, that one among them, and the candidate with what it finds: that
choice says that all is well as it is.  A model of no station's sound is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from acoio.errors import SetupError
from daemon.models.history import lineage
from daemon.models.registry import Registry
from detector.calibration.drift import Reference
from detector.scoring.checkpoint import read_model
from detector.scoring.score import Model


def first_model(registry: Registry, champion: Model, since: datetime | None) -> Model | None:
    """Return the first champion that hears the same windows, if it is another than the present."""
    first = first_of_lineage(registry, champion, since)
    return None if first is None or first.id == champion.id else first


def first_of_lineage(registry: Registry, champion: Model, since: datetime | None) -> Model | None:
    """Return the first champion since a person chose one that the present can be compared with.

    It is whole, of the hydrophone as it is, knows its sound, and hears the same windows.
    """
    for name in lineage(registry.history()):
        with suppress(SetupError):
            model = read_model(registry.folder(name))
            same = model.features == champion.features and model.reference is not None
            if same and of_the_hydrophone(model.card, since):
                return model
    return None


def references(
    champion: Model, first: Model | None, since: datetime | None
) -> dict[str, Reference | None]:
    """Return the sound that models of the hydrophone as it is were calibrated on, by whose."""
    own = {"champion": champion.reference if of_the_hydrophone(champion.card, since) else None}
    return {"station's first model": first.reference, **own} if first else own


def of_the_hydrophone(card: Mapping[str, Any], since: datetime | None) -> bool:
    """Say whether a model was calibrated on recordings of the hydrophone as it is now.

    `since` is when that, or its gain, was last changed, if it ever was.
    """
    try:
        data = card["data"]
        if "choice" not in data or since is None:
            return "choice" in data
        return datetime.fromisoformat(data["spans"]["calibration"]["begin"]) >= since
    except (LookupError, TypeError, ValueError):  # made elsewhere, or of no sound at all
        return False
