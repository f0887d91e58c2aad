"""Task A: handwritten digits of which some are never typical (MNIST).

Settings were chosen on the last 10,000 images of the training set in the place of the
test set, with seeds from 200 on.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import Baseline, families, settings
from benchmarks.baselines.base import Floats, Windows
from benchmarks.evaluation.networks import PATIENCE, scores_of, told, trained
from benchmarks.evaluation.task import Contestant, Entry, Split, Target, Task, baseline_contestants
from detector.networks.methods import Method, NetworkSettings
from detector.training.phases import TrainSettings

_Pixels: TypeAlias = NDArray[np.uint8]
_Rows: TypeAlias = NDArray[np.intp]

PIXELS, UNIT_ENERGY = "pixels", "unit energy"
_NORM: Final = 9.0  # about an image's own, with pixels of 0 to 1
_OF_IMAGES: Final = (
    "trivial, ink", "PCA error", "GMM on PCA", "isolation forest", "one-class SVM",
    "kNN on PCA", "LOF on PCA", "plain AE", "plain VAE",
)  # fmt: skip


@dataclass(frozen=True)
class Digits:
    """Which digits are typical and which atypical; the others are in *various* alone."""

    name: str
    typical: tuple[int, ...]
    atypical: tuple[int, ...]
    target: Target
    shares: tuple[float, ...]  # of atypical images in *various*; the first has the target


REPORT: Final = Digits(
    "report", (2, 3, 5, 6, 8, 9), (1, 4, 7), Target(0.96, 0.85), (0.05, 0.2, 0.01)
)
CODE: Final = Digits("code", (0, 6, 8, 9), (1, 7), Target(0.97, 0.87), (0.05,))


@dataclass(frozen=True, eq=False)
class Images:
    """Images (n, 28, 28) and their digits (n,), to learn from and to test."""

    images: _Pixels
    digits: _Pixels
    test_images: _Pixels
    test_digits: _Pixels


@dataclass(frozen=True, eq=False)
class Chosen:
    """Rows of the images to learn from: half of the typical ones, and *various*."""

    typical: _Rows
    various: _Rows


def tasks(data: Path) -> Sequence[Task]:
    """Return the report's split and the code's; the images are read when they are wanted."""
    return [_task(digits, data / "mnist") for digits in (REPORT, CODE)]


def choose(labels: _Pixels, digits: Digits, share: float, *, seed: int) -> Chosen:
    """Return what is learnt from, (n,) labels → rows; `share` of *various* is atypical.

    Half of the typical images are *typical*; *various* is the other half, all digits
    that are neither, and atypical ones drawn at random.
    """
    rng = np.random.default_rng(seed)
    usual = rng.permutation(np.flatnonzero(np.isin(labels, digits.typical)))
    unusual = rng.permutation(np.flatnonzero(np.isin(labels, digits.atypical)))
    others = np.flatnonzero(~np.isin(labels, digits.typical + digits.atypical))
    half = len(usual) // 2
    rest = np.concatenate([usual[half:], others])
    count = round(len(rest) * share / (1 - share))
    return Chosen(usual[:half], np.concatenate([rest, unusual[:count]]))


def unit_energy(images: _Pixels) -> Windows:
    """Return images that all have the same energy, (n, F, T)."""
    x = images.astype(np.float32)
    norm = np.sqrt(np.square(x).sum(axis=(1, 2), keepdims=True))
    return np.asarray(x / np.maximum(norm, 1) * np.float32(_NORM))


def read(folder: Path) -> Images:
    """Return the images of a folder of four IDX files, gzipped."""
    parts = [
        _idx(folder / f"{part}-{what}-ubyte.gz", offset)
        for part in ("train", "t10k")
        for what, offset in (("images-idx3", 16), ("labels-idx1", 8))
    ]
    images, digits, test_images, test_digits = parts
    return Images(images.reshape(-1, 28, 28), digits, test_images.reshape(-1, 28, 28), test_digits)


def _idx(path: Path, offset: int) -> _Pixels:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def _task(digits: Digits, folder: Path) -> Task:
    def split(seed: int) -> Split:
        return _split(_read(folder), digits, seed)

    note = (
        f"Typical {_listed(digits.typical)}, atypical {_listed(digits.atypical)}, tested on all of "
        "these in the test set. *Various* is half of the typical training images and all other "
        "digits, with a share of atypical ones that is told beside the name. The interval is that "
        "of the test images, the range that of the training half and the start. Tried besides for "
        "1 % on held-out training images, one network each: no fakes .873 / .733, a quarter of "
        "fakes, drawn by the network, .796 / .705."
    )
    gumiho = [
        Contestant(
            f"gumiho, ratio, {share:.0%} atypical",
            [_entry("ratio", share)],
            digits.target if share == digits.shares[0] else Target(),
            most_seeds=None if share == digits.shares[0] else 3,
        )
        for share in digits.shares
    ]
    published = Contestant(
        "gumiho, as published", [_entry("published", digits.shares[0])], most_seeds=3
    )
    return Task(
        f"A-{digits.name}",
        f"A, digits, the {digits.name}'s split",
        note,
        split,
        [
            *baseline_contestants([families()[name] for name in _OF_IMAGES], _inputs),
            published,
            *gumiho,
        ],
    )


def _inputs(baseline: Baseline) -> Sequence[str]:
    """Return both inputs, or pixels alone to a baseline that scales them itself or is ink."""
    by_itself = "unit_energy" in settings(baseline) or baseline.name == "trivial, ink"
    return (PIXELS,) if by_itself else (PIXELS, UNIT_ENERGY)


@lru_cache(maxsize=1)
def _read(folder: Path) -> Images:
    return read(folder)


def _split(images: Images, digits: Digits, seed: int) -> Split:
    rows = choose(images.digits, digits, digits.shares[0], seed=seed).typical
    tested = np.isin(images.test_digits, digits.typical + digits.atypical)
    typical, test = images.images[rows], images.test_images[tested]
    various = {
        share: choose(images.digits, digits, share, seed=seed).various for share in digits.shares
    }
    return Split(
        {PIXELS: scaled(typical), UNIT_ENERGY: unit_energy(typical)},
        {PIXELS: scaled(test), UNIT_ENERGY: unit_energy(test)},
        np.isin(images.test_digits[tested], digits.atypical),
        material={share: images.images[rows] for share, rows in various.items()},
    )


def scaled(images: _Pixels) -> Windows:
    """Return images with pixels of 0 to 1, (n, F, T)."""
    return np.asarray(images / np.float32(255), np.float32)


def _entry(method: Method, share: float) -> Entry:
    shape = NetworkSettings(
        28, 28, method=method, latent=16, parts=10, noise=False, evidence="whole"
    )
    train = _SETTINGS[method]

    def scores(split: Split, seed: int) -> Floats:
        various = unit_energy(split.material[share])
        found = trained(shape, split.typical[UNIT_ENERGY], various, train(seed))
        return scores_of(found.network.evidence, split.test[UNIT_ENERGY])

    return Entry(told(shape, train(0), share=share), scores)


def _ratio(seed: int) -> TrainSettings:
    return TrainSettings(
        seed=seed,
        batch=128,
        phase1_steps=50,
        phase2_steps=400,
        fakes=0.0,
        fidelity=0.0,
        patience=PATIENCE,
    )


def _published(seed: int) -> TrainSettings:
    return TrainSettings(
        seed=seed, batch=128, phase1_steps=200, phase2_steps=200, patience=PATIENCE
    )


_SETTINGS: Final[dict[Method, Any]] = {"ratio": _ratio, "published": _published}


def _listed(digits: Sequence[int]) -> str:
    return ", ".join(map(str, digits))
