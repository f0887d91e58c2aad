"""The hash that names a model: of its tensors, and of all that its card says of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

TENSORS: Final = "model.safetensors"
CARD: Final = "card.json"
_UNHASHED: Final = ("sha256", "versions")  # of the card: the same model may be written elsewhere


def sha256_of_model(card: Mapping[str, Any], tensors: bytes) -> str:
    """Return the hash of a card, as JSON values, and the bytes of the tensors, 64 hex digits."""
    told = {name: value for name, value in card.items() if name not in _UNHASHED}
    return hashlib.sha256(tensors + json.dumps(told, sort_keys=True).encode()).hexdigest()
