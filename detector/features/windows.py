"""Sound → windows: rolling STFT, log-frequency bands, levels above the recent past.

Everything here has finite memory and fixed block sizes, so that what comes out
does not depend on how the sound was cut: frames lie on records (4096 samples are
a whole number of hops), windows begin at the first record at or after each step
of UTC, and each block of frames is transformed in a call of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acoio.clock import from_us, record_us
from acoio.errors import SetupError
from acoio.header import RECORD_SAMPLES
from acoio.sound import Sound
from detector.config import FeatureSettings
from detector.features.bands import BandLevels
from detector.values import Window

_Floats = NDArray[np.float32]


@dataclass
class _Past:
    """Columns and record times since the last gap, as far back as is needed."""

    columns: _Floats
    marks_us: NDArray[np.int64]
    files: list[str] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)


class RollingFeatures:
    """A stage with memory: sound in, windows out, over file borders.

    `push` takes whole records that follow each other; `reset` stands for a gap,
    after which windows come again once the past that they need has been heard.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        self._settings = settings
        self._levels = BandLevels(settings)
        self._step_us = round(settings.step_s * 1e6)
        self._overlap = settings.frame_samples - settings.hop_samples + 1
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sound follows a gap."""
        self._tail: NDArray[np.int32] | None = None
        per_record = RECORD_SAMPLES // self._settings.hop_samples
        self._past = _Past(
            np.empty((0, per_record, self._settings.bands), np.float32), np.empty(0, np.int64)
        )

    def push(self, sound: Sound) -> list[Window]:
        """Return the windows that this sound completes.

        Raises
        ------
        SetupError
            If the sound has another sampling rate than the settings.
        """
        if sound.rate_hz != self._settings.rate_hz:
            raise SetupError(f"rate: found {sound.rate_hz} Hz, wanted {self._settings.rate_hz} Hz")
        known = len(self._past.marks_us)
        self._remember(sound)
        windows = [self._window(k) for k in self._begins(known)]
        self._forget()
        return windows

    def _remember(self, sound: Sound) -> None:
        samples, skipped = sound.samples, 0
        if self._tail is None:
            # The first record after a gap only fills the overlap of the frames.
            skipped = 1
        else:
            samples = np.concatenate((self._tail, samples))
        self._tail = sound.samples[-self._overlap :]
        if skipped:
            samples = samples[RECORD_SAMPLES - self._overlap :]
        records = len(sound.marks_us) - skipped
        past = self._past
        if records:
            columns = self._levels(samples).reshape(records, -1, self._settings.bands)
            past.columns = np.concatenate((past.columns, columns))
        past.marks_us = np.concatenate((past.marks_us, sound.marks_us[skipped:]))
        past.files += [sound.file] * records
        first = sound.sample + skipped * RECORD_SAMPLES
        past.samples += range(first, first + records * RECORD_SAMPLES, RECORD_SAMPLES)

    def _begins(self, known: int) -> list[int]:
        """Return the records that begin a window which is whole now and was not before."""
        need, past = self._settings.window_records, self._settings.past_records
        steps = self._past.marks_us // self._step_us
        first = max(known - need + 1, past, 1)
        last = len(steps) - need + 1
        return [k for k in range(first, last) if steps[k] > steps[k - 1]]

    def _window(self, k: int) -> Window:
        s, past = self._settings, self._past
        background_db, quiet_db = self._background(past.columns[k - s.past_records : k])
        block = past.columns[k : k + s.window_records].reshape(s.columns, s.bands)
        end_us = int(past.marks_us[k + s.window_records - 1]) + round(record_us(s.rate_hz))
        return Window(
            begin=from_us(int(past.marks_us[k])),
            end=from_us(end_us),
            excess_db=np.ascontiguousarray((block - background_db).T),
            spread_db=background_db - quiet_db,
            background_db=background_db,
            file=past.files[k],
            sample=past.samples[k],
        )

    def _background(self, past: _Floats) -> tuple[_Floats, _Floats]:
        """Return the background and the quiet level of each band, `(n, c, F) → (F,), (F,)` dB."""
        s = self._settings
        levels = past.mean(axis=1)
        at = [round(q * (len(levels) - 1)) for q in (s.background_quantile, s.quiet_quantile)]
        ordered = np.sort(levels, axis=0)  # faster than a partition at two places
        background_db, quiet_db = ordered[at]  # copies: a window must not keep all of its past
        return background_db, quiet_db

    def _forget(self) -> None:
        keep = self._settings.past_records + self._settings.window_records
        past = self._past
        if len(past.marks_us) > keep:
            past.columns = past.columns[-keep:]
            past.marks_us = past.marks_us[-keep:]
            past.files = past.files[-keep:]
            past.samples = past.samples[-keep:]
