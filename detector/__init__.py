"""Decide what is unusual: features, networks, training, calibration, scoring, events.

Public names are loaded when first asked for, so that importing does no work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.checkpoint import load_model
    from detector.files import PRETRAINED
    from detector.listen import Heard, Listener
    from detector.score import Scorer
    from detector.values import Event, Score, Window

__all__ = ["PRETRAINED", "Event", "Heard", "Listener", "Score", "Scorer", "Window", "load_model"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    homes = {"load_model": "checkpoint", "PRETRAINED": "files", "Scorer": "score"}
    homes |= {"Listener": "listen", "Heard": "listen"}
    if name not in __all__:
        raise AttributeError(f"module 'detector' has no attribute {name!r}")
    return getattr(import_module(f"detector.{homes.get(name, 'values')}"), name)
