"""What is told of the sound: how much was heard and scored, until when, and what was missing."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from acoio.clock import record_us
from acoio.sound import Gap
from daemon.drop.backlog import bytes_a_second
from daemon.events.revise import scored_seconds
from daemon.progress import FileProgress
from detector.values import Score

RECORD_OUTCOMES: Final = ("read", "damaged")
_RUNS: Final = 4  # of sound that is scored by turns: the lanes, and what is heard again between


class SoundMetrics:
    """Records, sound, damage and gaps.

    `heard_s` is how much sound was heard (s), `unscored_s` since a window was scored.
    `dead` is for how long the channel of the newest sound has been dead, `clock_off_ratio` by how
    much its sampling rate is off by its clock.
    """

    def __init__(self, own: CollectorRegistry) -> None:
        self.scored_seconds = Counter("kilokai_scored_seconds", "Sound scored", registry=own)
        self.newest_scored = Gauge(
            "kilokai_newest_scored_time_seconds",
            "UTC end of the newest sound scored; 0: none ever",
            registry=own,
        )
        self.heard_seconds = Counter(
            "kilokai_heard_seconds", "Sound read from files, scored or not", registry=own
        )
        self.records = Counter(
            "kilokai_records", "Records read, and damaged places between them", ["outcome"],
            registry=own,
        )  # fmt: skip
        self.damaged_bytes = Counter(
            "kilokai_damaged_bytes", "Bytes of files that gave no sound", registry=own
        )
        self.damaged_seconds = Counter(
            "kilokai_damaged_seconds", "Sound that those bytes would have been", registry=own
        )
        self.gaps = Counter("kilokai_gaps", "Gaps in the sound", registry=own)
        self.gap_seconds = Counter("kilokai_gap_seconds", "Time without sound", registry=own)
        self.dead_seconds = Gauge(
            "kilokai_dead_channel_seconds",
            "For how long the channel of the newest sound has been dead; 0: it lives",
            registry=own,
        )
        self.clock_off = Gauge(
            "kilokai_clock_off_ratio",
            "How far the sampling rate is off by the clock of the newest sound; 0.0001: 100 ppm",
            registry=own,
        )
        for outcome in RECORD_OUTCOMES:
            self.records.labels(outcome)
        self.heard_s = self.unscored_s = self.clock_off_ratio = 0.0
        self.dead: Gap | None = None
        self._runs: deque[datetime] = deque(maxlen=_RUNS)  # until when each was scored

    def take_read(
        self, now: FileProgress, before: FileProgress, *, rate_hz: float, damaged: int = 0
    ) -> None:
        """Count what a step read of a file; `damaged` is how many places were."""
        count = now.records - before.records
        heard_s = count * record_us(rate_hz) / 1e6
        self.records.labels("read").inc(count)
        self.records.labels("damaged").inc(damaged)
        self.heard_s += heard_s
        self.unscored_s += heard_s
        self.heard_seconds.inc(heard_s)
        self.take_damage(now, now.damaged_bytes - before.damaged_bytes, rate_hz=rate_hz)

    def take_damage(self, file: FileProgress, damaged_bytes: int, *, rate_hz: float) -> None:
        """Count bytes of a file that gave no sound."""
        sound_bytes = file.bytes_read - file.damaged_bytes
        self.damaged_bytes.inc(damaged_bytes)
        self.damaged_seconds.inc(
            damaged_bytes / bytes_a_second(sound_bytes, file.samples_read, rate_hz)
        )

    def take_gaps(self, gaps: Sequence[Gap]) -> None:
        """Count gaps."""
        self.gaps.inc(len(gaps))
        self.gap_seconds.inc(sum(gap.seconds for gap in gaps))

    def take_channel(self, dead: Gap | None, rate_ratio: float | None) -> None:
        """Set whether the channel is dead, and the sampling rate by the clock re the true one."""
        self.dead = dead
        self.dead_seconds.set(dead.seconds if dead else 0.0)
        if rate_ratio is not None:
            self.clock_off_ratio = rate_ratio - 1.0
            self.clock_off.set(self.clock_off_ratio)

    def take_scored(self, scores: Sequence[Score]) -> None:
        """Count the sound of new scores, one or more, in their order; lanes come by turns."""
        first = scores[0]
        before = next((end for end in self._runs if first.begin < end < first.end), None)
        if before is not None:
            self._runs.remove(before)
        self._runs.append(scores[-1].end)
        self.scored_seconds.inc(scored_seconds(scores, before))
