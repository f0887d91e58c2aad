"""Which model a station scores with, and at which rate: for whoever is not the daemon."""

from __future__ import annotations

from pathlib import Path

from acoio.errors import SetupError
from daemon.config import Config
from daemon.models.registry import Registry


def chosen_model(config: Config) -> str | Path:
    """Return the champion's folder, or `detector.model` where the registry has none.

    Raises
    ------
    SetupError
        If the registry is not as it should be.
    """
    registry = Registry(config.store.path)
    champion = registry.current()
    return registry.folder(champion) if champion else config.detector.model


def station_rate_hz(config: Config) -> float | None:
    """Return the rate of `detector.model`, which all models must have, or None if it is away."""
    from detector.scoring.checkpoint import read_card

    try:
        return float(read_card(config.detector.model)["features"]["rate_hz"])
    except (SetupError, KeyError, TypeError, ValueError):
        return None
