"""The chain from records to scores and events; it knows nothing of files or sockets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from acoio.clock import ClockRepair
from acoio.dead import DEAD, Channel
from acoio.join import Joiner
from acoio.rate import ClockWatch
from acoio.record import Record
from acoio.sound import Gap, Sound
from detector.events import EventTracker
from detector.features.gaps import GapBook
from detector.features.windows import RollingFeatures
from detector.scoring.score import Scorer
from detector.values import Event, Score


@dataclass(frozen=True, slots=True)
class Run:
    """So many samples without a gap, from `begin` to `end` by the repaired clock."""

    begin: datetime
    end: datetime
    samples: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What a piece of the feed gave, in the order of time; `runs` are its sound.

    `dead` is the time for which the channel has been dead at its end, `rate_ratio` the sampling
    rate by the clock re the true one, if that is known.  `fault` is what is wrong with the clock
    of the file: what comes from there on was not scored, and nothing else of the file can be.
    """

    scores: tuple[Score, ...]
    events: tuple[Event, ...]
    gaps: tuple[Gap, ...]
    runs: tuple[Run, ...] = ()
    dead: Gap | None = None
    rate_ratio: float | None = None
    fault: str = ""


NOTHING: Final = Heard((), (), ())


@dataclass
class _Found:
    scores: list[Score] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)


class Listener:
    """Records in, scores and events out, whatever pieces they come in.

    `context_records` is how many records before a place must be heard again
    (with `recall`) to go on from there as if there had been no break; `state`
    is the event that is open and the gaps not reported yet, as JSON values.
    """

    def __init__(
        self, scorer: Scorer, *, station: str, state: Mapping[str, Any] | None = None
    ) -> None:
        self._scorer = scorer
        self._features = RollingFeatures(scorer.features)
        self._watch = ClockWatch(scorer.features.rate_hz)
        self._clock = ClockRepair(scorer.features.rate_hz)
        self._joiner, self._channel = Joiner(scorer.features.rate_hz), Channel()
        event = {key: value for key, value in (state or {}).items() if key != "gaps"}
        self._tracker = EventTracker(scorer.event_settings(station), event)
        self._gaps = GapBook((state or {}).get("gaps"))
        self.context_records = scorer.features.context_records

    @property
    def state(self) -> dict[str, Any]:
        """The open event and the gaps not reported yet, to be kept for the next start."""
        gaps = self._gaps.state
        return {**self._tracker.state, **({"gaps": gaps} if gaps else {})}

    def push(self, records: Sequence[Record], file: str) -> Heard:
        """Return what these records, which follow all before, complete."""
        sound, fault = self._watched(records, file)
        found = _Found(gaps=self._gaps.begin(file))
        for piece in self._pieces(sound, file, found.runs):
            if isinstance(piece, Gap):
                self._break(piece, found)
            else:
                self._score(piece, found)
        return Heard(
            scores=tuple(found.scores),
            events=tuple(found.events),
            gaps=tuple(found.gaps),
            runs=tuple(found.runs),
            dead=self._gaps.dead,
            rate_ratio=self._watch.rate_ratio,
            fault=fault,
        )

    def take_over(self, former: object) -> bool:
        """Go on with what another listener has heard, if both hear alike; say whether they do.

        Its open event stays its own, and it must hear no more.
        """
        if not isinstance(former, Listener) or former._scorer.features != self._scorer.features:
            return False
        self._features, self._clock = former._features, former._clock
        self._joiner, self._channel = former._joiner, former._channel
        self._watch, self._gaps = former._watch, former._gaps
        return True

    def recall(self, records: Sequence[Record], file: str) -> None:
        """Hear records again that were scored before: fills the memory, says nothing."""
        for record in records:
            self._watch.push(record, file)
        for piece in self._pieces(records, file, []):
            if isinstance(piece, Gap):
                self._features.reset()
            else:
                self._features.push(piece)

    def flush(self) -> Heard:
        """Return the event that was open, closed, and the gaps: the sound ends here."""
        return Heard((), tuple(self._tracker.flush()), tuple(self._gaps.end()))

    def _watched(self, records: Sequence[Record], file: str) -> tuple[Sequence[Record], str]:
        """Return the records before the first at which the clock is no good, and why it is not."""
        for k, record in enumerate(records):
            if fault := self._watch.push(record, file):
                return records[:k], f"byte {record.byte}: {fault}"
        return records, ""

    def _pieces(
        self, records: Sequence[Record], file: str, runs: list[Run]
    ) -> Iterator[Sound | Gap]:
        """Yield the living sound of records, and gaps; `runs` takes all sound, living or not."""
        for piece in self._joiner.push(self._clock.push(records), file):
            if isinstance(piece, Gap):
                yield piece
            else:
                runs.append(Run(piece.begin, piece.end, len(piece.samples)))
                yield from self._channel.push(piece)

    def _score(self, sound: Sound, found: _Found) -> None:
        scores = self._scorer.score(self._features.push(sound))
        if scores:
            found.gaps += self._gaps.lives()
        found.scores += scores
        found.events += self._tracker.push(scores)

    def _break(self, gap: Gap, found: _Found) -> None:
        """Let the event that is open end at a gap, and forget the sound before it."""
        self._features.reset()
        found.events += self._tracker.flush()
        if gap.reason.startswith(DEAD):
            self._gaps.died(gap)
        else:
            found.gaps += self._gaps.missing(gap)
