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
from detector.checkpoint import read_model
from detector.score import Model


def first_model(registry: Registry, champion: Model, since: datetime | None) -> Model | None:
    """Return the first champion, if that is another one than the present.

    It is the first that is there, whole, of the hydrophone as it is since then, and hears
    the same windows.
    """
    for name in lineage(registry.history()):
        with suppress(SetupError):
            model = read_model(registry.folder(name))
            like = model.features == champion.features and model.reference
            if like and of_the_hydrophone(model.card, since):
                return None if model.id == champion.id else model
    return None


def of_the_hydrophone(card: Mapping[str, Any], since: datetime | None) -> bool:
    """Say whether a model was calibrated on recordings of the hydrophone as it is now.

    `since` is when that, or its gain, was last changed, if it ever was.
    """
    data = card.get("data", {})
    if "choice" not in data or since is None:
        return "choice" in data
    begin = data["spans"]["calibration"]["begin"]
    return begin is not None and datetime.fromisoformat(begin) >= since
