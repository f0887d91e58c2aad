"""A scorer that needs no model, and files of a ledger without a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from daemon.ledger.files import Files
from daemon.ledger.schema import prepare
from daemon.progress import FileProgress
from detector.calibration.drift import Reference
from detector.config import FeatureSettings
from detector.events import EventSettings
from detector.values import Score, Window


def files_of(known: Iterable[FileProgress] = ()) -> Files:
    """Return files as a ledger in memory knows them."""
    database = sqlite3.connect(":memory:")
    prepare(database)
    files, known = Files(database), tuple(known)
    files.write(known)
    files.take(known)
    return files


class LoudnessScorer:
    """The loudness above the recent past, summed over bands.

    Stands in for `detector.scoring.score.Scorer`, in a hundredth of the time and without training.
    """

    def __init__(self, threshold: float = 3.0) -> None:
        self.features = FeatureSettings()
        self.model = "loudness"
        self.threshold = threshold
        self.card: dict[str, Any] = {}
        self.reference: Reference | None = None

    def event_settings(self, station: str) -> EventSettings:
        return EventSettings(
            station=station,
            model=self.model,
            threshold=self.threshold,
            release=self.threshold * 0.75,
            band_edges_hz=tuple(self.features.band_edges_hz.tolist()),
        )

    def score(self, windows: Sequence[Window]) -> list[Score]:
        return [self._score(window) for window in windows]

    def _score(self, window: Window) -> Score:
        level_db = np.sort(window.excess_db, axis=1)[:, -6:].mean(axis=1)
        share = np.maximum(level_db - 4, 0) / 16
        return Score(
            begin=window.begin,
            end=window.end,
            score=float(share.sum()),
            threshold=self.threshold,
            contribution=share,
            level_db=level_db,
            background_db=window.background_db,
            file=window.file,
            sample=window.sample,
        )
