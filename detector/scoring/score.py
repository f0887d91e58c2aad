"""Windows → scores, by a frozen model."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from acoio.errors import DataError
from detector.calibration.calibrate import Calibration
from detector.calibration.drift import Reference
from detector.config import FeatureSettings
from detector.events import EventSettings
from detector.features.normalise import Normalisation
from detector.networks.methods import Discriminating
from detector.values import Score, Window

_BATCH: Final = 32  # always: another size changes the last bits of a score
_LOUDEST_SHARE: Final = 0.25  # of a window's columns, for the level of a band


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model as it lies in a folder; `id` names its exact contents.

    `reference` is the sound that it was calibrated on, if that was kept.
    """

    id: str
    features: FeatureSettings
    normalisation: Normalisation
    network: Discriminating
    calibration: Calibration
    card: dict[str, Any]
    reference: Reference | None = None


class Scorer:
    """A frozen model with a threshold for a promised rate of false alarms.

    Raises
    ------
    SetupError
        If the model was not calibrated for that rate.
    """

    def __init__(self, model: Model, *, false_alarms_per_hour: float = 1.0) -> None:
        self._network = copy.deepcopy(model.network).eval().requires_grad_(False)
        self._network.encoder.fuse()
        self._normalisation = model.normalisation
        self.threshold = model.calibration.threshold(false_alarms_per_hour)
        self.release = min(model.calibration.release, self.threshold)
        self.features = model.features
        self.model = model.id
        self.card = model.card
        self.reference = model.reference

    def event_settings(self, station: str) -> EventSettings:
        """Return what makes an event at a station."""
        return EventSettings(
            station=station,
            model=self.model,
            threshold=self.threshold,
            release=self.release,
            band_edges_hz=tuple(self.features.band_edges_hz.tolist()),
        )

    def score(self, windows: Sequence[Window]) -> list[Score]:
        """Return the score of each window, in nats.

        Raises
        ------
        DataError
            If a score is no finite number.
        """
        scores: list[Score] = []
        for k in range(0, len(windows), _BATCH):
            scores += self._score_batch(windows[k : k + _BATCH])
        return scores

    def _score_batch(self, windows: Sequence[Window]) -> list[Score]:
        contributions = self._contributions(self._normalisation(windows))
        return [
            self._result(window, contribution)
            for window, contribution in zip(windows, contributions, strict=True)
        ]

    def _contributions(self, normalised: NDArray[np.float32]) -> NDArray[np.float32]:
        batch = np.zeros((_BATCH, *normalised.shape[1:]), np.float32)
        batch[: len(normalised)] = normalised
        with torch.inference_mode():
            evidence: NDArray[np.float32] = self._network.evidence(torch.from_numpy(batch)).numpy()
        return evidence[: len(normalised)]

    def _result(self, window: Window, contribution: NDArray[np.float32]) -> Score:
        score = float(contribution.sum(dtype=np.float64))
        if not np.isfinite(score):
            raise DataError(
                f"score: found {score} at {window.begin} in {window.file}, wanted a number"
            )
        return Score(
            begin=window.begin,
            end=window.end,
            score=score,
            threshold=self.threshold,
            contribution=contribution,
            level_db=_level(window.excess_db),
            background_db=window.background_db,
            file=window.file,
            sample=window.sample,
        )


def _level(excess_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far each band rose in the loudest part of a window, (F, T) → (F,) dB."""
    loudest = max(round(_LOUDEST_SHARE * excess_db.shape[1]), 1)
    top = np.partition(excess_db, -loudest, axis=1)[:, -loudest:]
    return np.asarray(top.mean(axis=1))
