"""A training that was left, as a file: what it was of, how far it was, and its tensors."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from acoio.errors import SetupError
from acoio.output import write_output
from detector.training.data import sha256_of


class Stateful(Protocol):
    """A network, an optimiser or a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that it knows."""
        ...


@dataclass
class Progress:
    """How far training is; `kept` is the network that did best on what is held out."""

    phase: int = 1
    step: int = 0
    drawn: int = 0
    stale: int = 0
    best: float = float("inf")
    kept: dict[str, Tensor] = field(default_factory=dict)


def write(
    path: Path, identity: Mapping[str, Any], progress: Mapping[str, Any], parts: Sequence[Stateful]
) -> None:
    """Write the state of a training in one step.

    Raises
    ------
    NotReadyError
        If it cannot be written, as on a full disk.
    """
    state = {
        "identity": _plain(identity),
        "progress": dict(progress),
        "parts": [part.state_dict() for part in parts],
    }
    whole = io.BytesIO()
    torch.save(state, whole)  # into a file it would tell a full disk as a bug of its own
    write_output(path, whole.getbuffer())


def read(path: Path, identity: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the progress and the states of the parts; code in the file is not run.

    Raises
    ------
    SetupError
        If the file is none, or is of another training.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found, progress, parts = (state[name] for name in ("identity", "progress", "parts"))
    except (
        OSError,
        RuntimeError,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise SetupError(f"{path}: no saved training: {error}") from error
    wanted = _plain(identity)
    if found != wanted:
        raise SetupError(f"{path}: {_difference(found, wanted)}; a new folder begins anew")
    return progress, parts


def weights_sha256(network: Stateful) -> str:
    """Return the hash of a network's weights."""
    return sha256_of(*(value.cpu().numpy() for value in network.state_dict().values()))


def _difference(found: Any, wanted: Mapping[str, Any]) -> str:
    """Return what a training was of that it should not be, by its parts alone that differ."""
    known = found if isinstance(found, dict) else {}
    names = [name for name in wanted if known.get(name) != wanted[name]]
    other = {name: known.get(name) for name in names}
    right = {name: wanted[name] for name in names}
    return f"found a training of {other}, wanted {right}"


def _plain(values: Any) -> Any:
    """Return mappings as dicts and tuples as lists."""
    if isinstance(values, Mapping):
        return {name: _plain(value) for name, value in values.items()}
    return list(values) if isinstance(values, tuple) else values
