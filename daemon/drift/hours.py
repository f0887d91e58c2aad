"""The last day of sound as counts by the hour (pure); its memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from acoio.clock import to_us
from detector.calibration.drift import Drift, Reference, drift
from detector.calibration.tally import Tally, empty
from detector.values import Score

KEPT_HOURS: Final = 24
HOUR_US: Final = 3_600_000_000


class Hours:
    """Counts of the windows of the last 24 hours that sound was heard of, as a model scored them.

    The hours are the sound's, so that late sound is counted where it belongs; an hour
    goes when 24 others were heard since, so that one wrong clock costs one hour's place.
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._hours: dict[int, Tally] = {}

    def take(self, scores: Sequence[Score]) -> None:
        """Count windows that were not counted before."""
        for hour, part in groupby(scores, key=_hour):
            counts = self.reference.tally(list(part))
            before = self._hours.pop(hour, None)
            self._hours[hour] = before + counts if before else counts
        while len(self._hours) > KEPT_HOURS:
            del self._hours[next(iter(self._hours))]

    def drift(self) -> Drift | None:
        """Return how far sound of the calibration's hours of the day has drifted, if known."""
        heard = empty(self.reference.edges, len(self.reference.heard.levels))
        for counts in self._of_the_reference():
            heard += counts
        return drift(self.reference, heard)

    def _of_the_reference(self) -> Iterator[Tally]:
        wanted = self.reference.hours_utc or range(24)
        yield from (counts for hour, counts in self._hours.items() if hour % 24 in wanted)

    def as_json(self) -> list[Any]:
        """Return the counts as plain values, the hour heard longest ago first."""
        return [[hour, counts.as_json()] for hour, counts in self._hours.items()]

    def recall(self, values: list[Any]) -> None:
        """Go on from what `as_json` gave.

        Raises
        ------
        ValueError, TypeError, KeyError, IndexError
            If it gave no such values.
        """
        found = {int(hour): Tally.from_json(counts) for hour, counts in values}
        shape = self.reference.heard.scores.shape, self.reference.heard.levels.shape
        if any((counts.scores.shape, counts.levels.shape) != shape for counts in found.values()):
            raise ValueError("hours: found counts in other bins than the reference's")
        self._hours = found


def _hour(score: Score) -> int:
    return to_us(score.begin) // HOUR_US
