"""A model is what its card says, or it is refused."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from acoio.errors import SetupError
from detector import PRETRAINED, load_model
from detector.calibration.calibrate import Calibration, Point
from detector.scoring.checkpoint import read_model, write_model
from detector.scoring.fingerprint import sha256_of_model
from detector.scoring.score import Scorer

from .models import model
from .sounds import SMALL, window
from .test_score import levels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / "model", model())
    return tmp_path / "model"


def test_a_model_scores_the_same_before_and_after_freezing(folder: Path) -> None:
    windows = [window(levels(k)) for k in range(40)]
    before = Scorer(model()).score(windows)
    after = load_model(folder).score(windows)
    assert [s.score for s in before] == [s.score for s in after]


def test_the_id_names_the_exact_contents(folder: Path) -> None:
    """Weights, settings and calibration alike: another threshold is another model."""
    first = read_model(folder)
    same = write_model(folder.with_name("same"), first)
    stricter = Calibration(24.0, 2.0, (Point(0.5, 9.5, 0.1, 1), Point(2.0, 5.0, 1, 3)))
    other = write_model(folder.with_name("other"), replace(first, calibration=stricter))
    assert first.id == same.id != other.id
    assert first.id.startswith("tiny-")


def flip(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(bytes(data))


def truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def remove(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def no_card(folder: Path) -> None:
    (folder / "card.json").unlink()


def half_a_card(folder: Path) -> None:
    path = folder / "card.json"
    path.write_text(path.read_text()[:200])


def foreign_format(folder: Path) -> None:
    _change_card(folder, format=99)


def other_threshold(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    card["calibration"]["points"][0]["threshold"] = 900
    _change_card(folder, calibration=card["calibration"])


def other_past(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    _change_card(folder, features={**card["features"], "past_records": 5})


def rehashed(folder: Path, data: bytes) -> None:
    (folder / "model.safetensors").write_bytes(data)
    _rehash(folder)


def _rehash(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    _change_card(folder, sha256=sha256_of_model(card, (folder / "model.safetensors").read_bytes()))


def pickled(folder: Path) -> None:
    rehashed(folder, pickle.dumps({"weights": [1, 2, 3]}))


def not_finite(folder: Path) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    tensors["normalisation.mean"][0] = torch.nan
    rehashed(folder, save(tensors))


def other_shape(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    _change_card(folder, network={**card["network"], "latent": 9})
    _rehash(folder)


def other_window(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    _change_card(folder, features={**card["features"], "window_records": 5})
    _rehash(folder)


def other_description(folder: Path) -> None:
    _change_card(folder, description="trained on a year of real sound")


def _normalised_by(folder: Path, values: torch.Tensor) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    tensors["normalisation.deviation"] = values
    rehashed(folder, save(tensors))


def one_deviation(folder: Path) -> None:
    _normalised_by(folder, torch.ones(1))


def no_deviation(folder: Path) -> None:
    _normalised_by(folder, torch.zeros(SMALL.bands))


def no_points(folder: Path) -> None:
    _change_card(folder, calibration={"hours": 1.0, "release": 1.0, "points": []})
    _rehash(folder)


def no_number(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    _change_card(folder, calibration={**card["calibration"], "release": "abc"})
    _rehash(folder)


def lost_tensor(folder: Path) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    del tensors["network.tails.mixture.means"]
    rehashed(folder, save(tensors))


def _change_card(folder: Path, **values: object) -> None:
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (flip, "found SHA-256 .*, wanted"),
        (truncate, "found SHA-256 .*, wanted"),
        (other_threshold, "found SHA-256 .*, wanted"),
        (other_past, "found SHA-256 .*, wanted"),
        (other_window, "do not fit the network"),
        (no_points, "found no points"),
        (no_number, "no model of format 2"),
        (remove, "No such file"),
        (no_card, "No such file"),
        (half_a_card, "no JSON"),
        (foreign_format, "no card of format 2"),
        (pickled, "no model of format 2"),
        (not_finite, "no finite numbers"),
        (other_shape, "no model of format 2"),
        (lost_tensor, "no model of format 2"),
        (other_description, "found SHA-256"),
        (one_deviation, r"normalisation.deviation: found shape \(1,\)"),
        (no_deviation, "least value 0, wanted"),
    ],
)
def test_a_damaged_model_is_refused(
    folder: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(folder)
    with pytest.raises(SetupError, match=words):
        load_model(folder)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SetupError, match=r"^model nowhere/card\.json: No such file"):
        load_model("nowhere")


def test_the_card_says_what_made_the_model(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    assert {"features", "network", "calibration", "context_s", "versions", "sha256"} <= set(card)
    assert card["context_s"] == pytest.approx(model().features.context_s)


def test_the_pretrained_model_is_small_honest_and_frozen() -> None:
    pretrained = read_model(PRETRAINED)
    scorer = Scorer(pretrained)
    assert "never heard a real recording" in pretrained.card["description"]
    assert not any(p.requires_grad for p in pretrained.network.parameters())
    size = sum(t.numel() * t.element_size() for t in pretrained.network.state_dict().values())
    assert size < 5e6
    assert scorer.threshold > scorer.release
    shape = (500, pretrained.features.bands, pretrained.features.columns)
    noise = np.random.default_rng(1).standard_normal(shape, np.float32)
    evidence = pretrained.network.evidence(torch.from_numpy(noise)).sum(1)
    assert (evidence < scorer.threshold).float().mean() > 0.98


def test_the_pretrained_model_is_written_again_as_the_same_model(tmp_path: Path) -> None:
    first = read_model(PRETRAINED)
    assert write_model(tmp_path / "again", first).id == first.id
