"""A model's folder: `model.safetensors` and, written last, `card.json` with its hash."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from acoio.errors import SetupError
from acoio.output import write_output
from detector.calibration.calibrate import Calibration
from detector.calibration.drift import Reference
from detector.config import FeatureSettings
from detector.errors import ModelError
from detector.features.normalise import Normalisation
from detector.files import LARGEST_BYTES, SMALL_BYTES, model_folder, read_part
from detector.networks.methods import NetworkSettings, build
from detector.scoring.fingerprint import CARD, TENSORS, sha256_of_model
from detector.scoring.score import Model, Scorer

FORMAT: Final = 2
_VERSIONS: Final = ("kilokai", "numpy", "safetensors", "scipy", "torch")
_NUMBERS: Final = re.compile(r"\[\n[-+.\deE,\s]+\]")  # no string of a card has a line's end
_NORMALISATION: Final = ("mean", "deviation", "spread_db")


def load_model(path_or_name: str | Path, *, false_alarms_per_hour: float = 1.0) -> Scorer:
    """Return a frozen scorer from a model's folder, or a pretrained one by its name.

    Raises
    ------
    SetupError
        If there is no such model, its files are not what its card says, or it
        was not calibrated for that rate of false alarms.
    """
    return Scorer(read_model(path_or_name), false_alarms_per_hour=false_alarms_per_hour)


def read_model(path_or_name: str | Path) -> Model:
    """Return the model of a folder or a pretrained name, verified by its hash.

    Raises
    ------
    ModelError
        If there is no such model or its files are not what its card says.
    """
    folder = model_folder(path_or_name)
    card = _read_card(folder)
    data = read_part(folder / TENSORS, LARGEST_BYTES)
    if (found := sha256_of_model(card, data)) != card["sha256"]:
        message = f"{folder}: found SHA-256 {found}, wanted {card['sha256']}"
        raise ModelError(message, reason="hash")
    try:
        return _assemble(card, load(data))
    except SetupError as error:
        raise ModelError(f"{folder}: {error}", reason="format") from error
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        message = f"{folder}: no model of format {FORMAT}: {error}"
        raise ModelError(message, reason="format") from error


def read_card(path_or_name: str | Path) -> dict[str, Any]:
    """Return the card of a model's folder or a pretrained name; nothing is verified.

    Raises
    ------
    ModelError
        If there is none.
    """
    return _read_card(model_folder(path_or_name))


def write_model(folder: Path, model: Model) -> Model:
    """Write a model into a new folder and return it with its id and hash.

    Raises
    ------
    SetupError
        If it is no model that could be read again; nothing is written then.
    """
    tensors = _tensors(model)
    data = save(tensors)
    card = {
        "format": FORMAT,
        **model.card,
        "features": asdict(model.features),
        "network": asdict(model.network.settings),
        "context_s": model.features.context_s,
        "calibration": model.calibration.as_json(),
        **({"reference": model.reference.as_json()} if model.reference else {}),
        "versions": {name: metadata.version(name) for name in _VERSIONS},
    }
    card = json.loads(json.dumps(card))  # as it will be read
    card["sha256"] = sha256_of_model(card, data)
    written = _assemble(card, tensors)
    folder.mkdir(parents=True, exist_ok=True)
    write_output(folder / TENSORS, data)
    write_output(folder / CARD, _text(card).encode())
    return written


def _text(card: dict[str, Any]) -> str:
    """Return a card as people can read it: lists of numbers in one line each."""
    text = json.dumps(card, indent=2) + "\n"
    return _NUMBERS.sub(lambda found: " ".join(found.group().split()), text)


def is_model(folder: Path) -> bool:
    """Say whether a folder holds a model, or a card that was to be one."""
    return (folder / CARD).exists()


def _read_card(folder: Path) -> dict[str, Any]:
    data = read_part(folder / CARD, SMALL_BYTES)
    try:
        card = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{folder / CARD}: no JSON: {error}", reason="format") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or "sha256" not in card:
        message = f"{folder / CARD}: found no card of format {FORMAT}"
        raise ModelError(message, reason="format")
    return card


def _tensors(model: Model) -> dict[str, torch.Tensor]:
    state = {f"network.{name}": value for name, value in model.network.state_dict().items()}
    for name in _NORMALISATION:
        state[f"normalisation.{name}"] = torch.from_numpy(getattr(model.normalisation, name))
    return {name: tensor.clone() for name, tensor in state.items()}  # none shares its memory


def _assemble(card: dict[str, Any], tensors: Mapping[str, torch.Tensor]) -> Model:
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise SetupError(f"model tensor {name}: found values that are no finite numbers")
    shape = {**card["network"], "channels": tuple(card["network"]["channels"])}
    network = build(NetworkSettings(**shape))
    prefix = "network."
    network.load_state_dict(
        {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
    )
    features = FeatureSettings(**card["features"])
    if (features.bands, features.columns) != (network.settings.bands, network.settings.columns):
        raise SetupError(
            f"features of {features.bands} x {features.columns} do not fit the network"
        )
    normalisation = [tensors[f"normalisation.{name}"].numpy() for name in _NORMALISATION]
    for name, values in zip(_NORMALISATION, normalisation, strict=True):
        if values.shape != (features.bands,) or (name != "mean" and not (values > 0).all()):
            raise SetupError(
                f"model tensor normalisation.{name}: found shape {values.shape} and least value "
                f"{values.min():g}, wanted {features.bands} values, above 0 but for the mean"
            )
    return Model(
        id=f"{card['name']}-{card['sha256'][:8]}",
        features=features,
        normalisation=Normalisation(*normalisation),
        network=network.eval().requires_grad_(False),
        calibration=Calibration.from_json(card["calibration"]),
        card=card,
        reference=_reference(card, features.bands),
    )


def _reference(card: dict[str, Any], bands: int) -> Reference | None:
    """Return the reference of a card; those of earlier versions have none."""
    if "reference" not in card:
        return None
    found = Reference.from_json(card["reference"])
    if len(found.heard.levels) != bands:
        raise SetupError(f"reference: found {len(found.heard.levels)} bands, wanted {bands}")
    return found
