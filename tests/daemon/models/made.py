"""Models for these tests: variants of the one that comes with the project, made in no time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save

from daemon.models.registry import Registry
from daemon.models.verdict import Verdict
from detector.files import PRETRAINED
from detector.scoring.checkpoint import read_model, write_model
from detector.scoring.fingerprint import sha256_of_model
from detector.scoring.score import Model


@cache
def pretrained() -> Model:
    return read_model(PRETRAINED)


def variant(name: str, **changes: Any) -> Model:
    """Return the same model under another name: it hears each band a bit otherwise."""
    model = pretrained()
    shifted = model.normalisation.mean + np.float32(0.01 * (1 + len(name)))
    normalisation = replace(model.normalisation, mean=shifted)
    changes = {"normalisation": normalisation, **changes}
    return replace(model, card={**model.card, "name": name}, **changes)


def folder_of(place: Path, name: str, **changes: Any) -> Path:
    write_model(place / name, variant(name, **changes))
    return place / name


def judged(minute: int = 0, *, accepted: bool = True, **more: Any) -> Verdict:
    decided = f"2026-11-22T20:{minute:02d}:00.000000Z"
    return Verdict(accepted=accepted, decided=decided, **more)


def registry_of(store: Path, *names: str) -> tuple[Registry, list[str]]:
    """Return a registry of models with these names, each newer than the one before."""
    registry = Registry(store)
    ids = []
    for k, name in enumerate(names):
        with registry.candidate() as folder:
            write_model(folder, variant(name))
            ids.append(registry.register(folder, judged(k)))
    return registry, ids


def flipped(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _missing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _rehashed(folder: Path, data: bytes) -> None:
    """Write tensors with the hash that they have."""
    card = json.loads((folder / "card.json").read_text())
    card["sha256"] = sha256_of_model(card, data)
    (folder / "model.safetensors").write_bytes(data)
    (folder / "card.json").write_text(json.dumps(card))


def _not_finite(folder: Path) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    tensors["normalisation.mean"][0] = torch.nan
    _rehashed(folder, save(tensors))


def _pickle(folder: Path) -> None:
    _rehashed(folder, b"\x80\x04cos\nsystem\n(X\x02\x00\x00\x00idtR.")


def _another_model(folder: Path) -> None:
    """Put a sound model that is not the one the folder names into its place."""
    write_model(folder, variant("another"))


def _no_card(folder: Path) -> None:
    (folder / "card.json").write_bytes(b"\x00" * 100)


def _no_golden(folder: Path) -> None:
    (folder / "golden.json").unlink()


def _half_golden(folder: Path) -> None:
    path = folder / "golden.json"
    path.write_text(path.read_text()[:50])


def _fewer_golden(folder: Path) -> None:
    _golden(folder, lambda scores: scores[:-1])


def _other_golden(folder: Path) -> None:
    _golden(folder, lambda scores: [*scores[:-1], scores[-1] + 1])


def _nan_golden(folder: Path) -> None:
    _golden(folder, lambda scores: [*scores[:-1], float("nan")])


def _golden(folder: Path, change: Callable[[list[float]], list[float]]) -> None:
    path = folder / "golden.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "scores": change(values["scores"])}))


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "gone": (_missing, "missing"),
    "cut short": (_cut_short, "hash"),
    "a bit flipped": (flipped, "hash"),
    "not finite": (_not_finite, "format"),
    "a pickle": (_pickle, "format"),
    "another model": (_another_model, "hash"),
    "no card": (_no_card, "format"),
    "no golden scores": (_no_golden, "missing"),
    "half golden scores": (_half_golden, "format"),
    "fewer golden scores": (_fewer_golden, "format"),
    "other golden scores": (_other_golden, "golden"),
    "golden scores not finite": (_nan_golden, "golden"),
}
"""What may become of a registered model, and the reason for which it is refused then."""


def of_another_rate(place: Path, name: str = "slow") -> Path:
    features = replace(pretrained().features, rate_hz=16_000.0, high_hz=7_000.0)
    return folder_of(place, name, features=features)
