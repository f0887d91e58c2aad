"""The chain from records to scores and events; it knows nothing of files or sockets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from acoio.clock import ClockRepair
from acoio.join import Joiner
from acoio.record import Record
from acoio.sound import Gap
from detector.events import EventTracker
from detector.features import RollingFeatures
from detector.score import Scorer
from detector.values import Event, Score


@dataclass(frozen=True, slots=True)
class Run:
    """So many samples without a gap, from `begin` to `end` by the repaired clock."""

    begin: datetime
    end: datetime
    samples: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What a piece of the feed gave, in the order of time; `runs` are its sound."""

    scores: tuple[Score, ...]
    events: tuple[Event, ...]
    gaps: tuple[Gap, ...]
    runs: tuple[Run, ...] = ()


NOTHING: Final = Heard((), (), ())


class Listener:
    """Records in, scores and events out, whatever pieces they come in.

    `context_records` is how many records before a place must be heard again
    (with `recall`) to go on from there as if there had been no break; `state`
    is the event that is open, as JSON values.
    """

    def __init__(
        self, scorer: Scorer, *, station: str, state: Mapping[str, Any] | None = None
    ) -> None:
        self._scorer = scorer
        self._features = RollingFeatures(scorer.features)
        self._clock = ClockRepair(scorer.features.rate_hz)
        self._joiner = Joiner(scorer.features.rate_hz)
        self._tracker = EventTracker(scorer.event_settings(station), state)
        self.context_records = scorer.features.context_records

    @property
    def state(self) -> dict[str, Any]:
        """The open event, to be kept for the next start."""
        return self._tracker.state

    def push(self, records: Sequence[Record], file: str) -> Heard:
        """Return what these records, which follow all before, complete."""
        scores: list[Score] = []
        events: list[Event] = []
        gaps: list[Gap] = []
        runs: list[Run] = []
        for piece in self._joiner.push(self._clock.push(records), file):
            if isinstance(piece, Gap):
                gaps.append(piece)
                self._features.reset()
                events.extend(self._tracker.flush())
            else:
                runs.append(Run(piece.begin, piece.end, len(piece.samples)))
                found = self._scorer.score(self._features.push(piece))
                scores.extend(found)
                events.extend(self._tracker.push(found))
        return Heard(tuple(scores), tuple(events), tuple(gaps), tuple(runs))

    def take_over(self, former: object) -> bool:
        """Go on with what another listener has heard, if both hear alike; say whether they do.

        Its open event stays its own, and it must hear no more.
        """
        if not isinstance(former, Listener) or former._scorer.features != self._scorer.features:
            return False
        self._features, self._clock = former._features, former._clock
        self._joiner = former._joiner
        return True

    def recall(self, records: Sequence[Record], file: str) -> None:
        """Hear records again that were scored before: fills the memory, says nothing."""
        for piece in self._joiner.push(self._clock.push(records), file):
            if isinstance(piece, Gap):
                self._features.reset()
            else:
                self._features.push(piece)

    def flush(self) -> Heard:
        """Return the event that was open, closed, because the sound ends here."""
        return Heard((), tuple(self._tracker.flush()), ())
