"""Decide what is unusual: features, networks, training, calibration, scoring, events.

Public names are loaded when first asked for, so that importing does no work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.files import PRETRAINED
    from detector.scoring.checkpoint import load_model
    from detector.scoring.listen import Heard, Listener
    from detector.scoring.score import Scorer
    from detector.values import Event, Score, Window

__all__ = ["PRETRAINED", "Event", "Heard", "Listener", "Score", "Scorer", "Window", "load_model"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    homes = {"load_model": "scoring.checkpoint", "PRETRAINED": "files", "Scorer": "scoring.score"}
    homes |= {"Listener": "scoring.listen", "Heard": "scoring.listen"}
    if name not in __all__:
        raise AttributeError(f"module 'detector' has no attribute {name!r}")
    return getattr(import_module(f"detector.{homes.get(name, 'values')}"), name)
