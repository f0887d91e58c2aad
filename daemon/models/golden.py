"""Golden scores: what a model gave to a fixed set of windows when it was registered.

A hash says that a model's files are as they were.  Golden scores say that what is made
of them is as it was, with another version of a library, on another processor, or with
failing memory.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from acoio.errors import DataError, SetupError
from daemon.durable import write_whole
from daemon.errors import plain
from detector.config import FeatureSettings
from detector.errors import ModelError
from detector.files import read_regular
from detector.scoring.checkpoint import read_model
from detector.scoring.score import Model, Scorer
from detector.values import Window

FILE: Final = "golden.json"

_SET: Final = 1  # of windows: another one takes another number, and this one stays readable
_SEED: Final = 20_180_828
_WINDOWS: Final = 16
_NOISE_DB: Final = 8.0
_CALL_DB: Final = 30.0
_MOST_NATS: Final = 1e6  # 400 at each place of a window
_SPREAD_DB: Final = 2.0
_BEGIN: Final = datetime(2018, 8, 28, tzinfo=UTC)
_STEP: Final = timedelta(seconds=1)

FURTHEST_NATS: Final = 0.01
FURTHEST_SHARE: Final = 1e-4
"""How far a score may lie from the golden one, and which share of that one besides.

Another processor or library adds up in another order, which moves a float32 sum by some
1e-6 of it (measured: 1.3e-6 at most, with SSE, AVX2, AVX-512, and without oneDNN); a
threshold is known to some tenths of a nat.
"""


def seal(folder: Path) -> Model:
    """Write the golden scores of a model into its folder, and return it.

    Raises
    ------
    ModelError
        If it cannot be read, or does not give the same finite scores twice.
    NotReadyError
        If they cannot be written.
    """
    model = read_model(folder)
    values = {"set": _SET, "model": model.id, "scores": _scores(folder, _scorer(model))}
    write_whole(folder / FILE, (json.dumps(values) + "\n").encode())
    load_registered(folder)
    return model


def load_registered(folder: Path, *, false_alarms_per_hour: float | None = None) -> Scorer:
    """Return the frozen scorer of a registered model: its hash and golden scores are right.

    Without a rate of false alarms it bears the threshold of one that it was calibrated for.

    Raises
    ------
    ModelError
        If it is not as it was registered, or was not calibrated for that rate.
    """
    model = read_model(folder)
    if model.id != folder.name and not folder.name.startswith("."):
        message = f"{plain(folder)}: found {model.id}, wanted the model that the folder names"
        raise ModelError(message, reason="hash")
    try:
        scorer = _scorer(model, false_alarms_per_hour)
    except SetupError as error:
        raise ModelError(f"{plain(folder)}: {error}", reason="other") from error
    _compare(folder, wanted=_golden(folder, model), found=_scores(folder, scorer))
    return scorer


def golden_windows(features: FeatureSettings) -> list[Window]:
    """Return the fixed windows: noise, and in every other one a call in some bands."""
    shape = (_WINDOWS, features.bands, features.columns)
    noise = _NOISE_DB * (_uniform(_SEED, shape) + _uniform(_SEED + 1, shape) - 1)
    for k in range(1, _WINDOWS, 2):
        band, width = k * features.bands // _WINDOWS, max(features.bands // 16, 1)
        noise[k, band : band + width, features.columns // 4 : features.columns // 2] += _CALL_DB
    spread_db = np.full(features.bands, _SPREAD_DB, np.float32)
    level_db = np.zeros(features.bands, np.float32)
    return [
        Window(begin, begin + 2 * _STEP, excess_db, spread_db, level_db, FILE, k)
        for k, excess_db in enumerate(noise.astype(np.float32))
        for begin in (_BEGIN + k * _STEP,)
    ]


def _uniform(seed: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return numbers in 0 to 1 made of a generator's bits, which no version of numpy changes.

    Source: NEP 19: bit streams are stable, distributions are not.
    """
    bits = np.asarray(np.random.PCG64(seed).random_raw(int(np.prod(shape))))
    return np.asarray((bits >> np.uint64(11)).reshape(shape) * 2.0**-53, np.float64)


def _scorer(model: Model, false_alarms_per_hour: float | None = None) -> Scorer:
    rate = false_alarms_per_hour or model.calibration.points[-1].false_alarms_per_hour
    return Scorer(model, false_alarms_per_hour=rate)


def _scores(folder: Path, scorer: Scorer) -> list[float]:
    """Return the scores of the golden windows.

    Raises
    ------
    ModelError
        If they are not those of a detector: no numbers, beyond all evidence, or no higher for
        loud calls than for noise, as of weights that are zeros or were drawn at random.
    """
    try:
        scores = [score.score for score in scorer.score(golden_windows(scorer.features))]
    except (DataError, RuntimeError, ValueError) as error:
        raise ModelError(f"{plain(folder)}: golden windows: {error}", reason="golden") from error
    noise, calls = float(np.median(scores[::2])), float(np.median(scores[1::2]))
    if not (noise < calls and np.abs(scores).max() < _MOST_NATS):
        message = (
            f"{plain(folder)}: golden windows: found {noise:.6g} nats for noise and {calls:.6g} "
            f"for loud calls, wanted more for these, and less than {_MOST_NATS:g}: train it again"
        )
        raise ModelError(message, reason="golden")
    return scores


def _golden(folder: Path, model: Model) -> object:
    path = folder / FILE
    try:
        values: Any = json.loads(read_regular(path))
    except OSError as error:
        raise ModelError(f"{plain(path)}: {error.strerror}", reason="missing") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{plain(path)}: no JSON: {error}", reason="format") from error
    wanted = {"set": _SET, "model": model.id}
    if not isinstance(values, dict) or {key: values.get(key) for key in wanted} != wanted:
        message = f"{plain(path)}: found {values!r:.80}, wanted the scores of {wanted}"
        raise ModelError(message, reason="format")
    return values.get("scores")


def _compare(folder: Path, *, wanted: Any, found: list[float]) -> None:
    """Raise `ModelError` unless all scores are as near to the golden ones as they must be."""
    try:
        golden = np.asarray(wanted, np.float64).reshape(len(found))
        near = np.isclose(found, golden, rtol=FURTHEST_SHARE, atol=FURTHEST_NATS)
    except (TypeError, ValueError, OverflowError) as error:
        message = f"{plain(folder / FILE)}: found no {len(found)} scores: {error}"
        raise ModelError(message, reason="format") from error
    if not near.all():
        k = int(np.argmin(near))
        message = (
            f"{plain(folder)}: golden window {k}: found score {found[k]:.6g}, wanted "
            f"{golden[k]:.6g} within {FURTHEST_NATS:g} nats and {FURTHEST_SHARE:g} of it"
        )
        raise ModelError(message, reason="golden")
