"""What was heard, committed and then said: never the other way round."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from daemon.bus.wire import Draft
from daemon.events.alerts import alerted, summed_up
from daemon.events.revise import number, revisions
from daemon.evidence.paths import with_evidence
from daemon.ledger.ledger import Ledger
from daemon.metrics import Metrics
from daemon.progress import LANES, Outgoing, Step
from detector.scoring.listen import NOTHING, Heard
from detector.values import Event, Score

_MESSAGES_AT_ONCE: Final = 256
_NONCE_BYTES: Final = 6


@dataclass(frozen=True, slots=True)
class Station:
    """Whose sound it is, who scores it, and how many events an hour are sent one by one."""

    name: str
    model: str
    most_per_hour: int = 60


class Keeper:
    """Commits steps to the ledger with their messages, and sends these.

    `send` lets messages go, `published` returns the newest number that is known to be sent.
    All of it raises `NotReadyError` where the ledger cannot be written right now: then
    nothing was kept and nothing said.
    """

    def __init__(
        self,
        station: Station,
        *,
        ledger: Ledger,
        metrics: Metrics,
        send: Callable[[Sequence[Outgoing]], None],
        published: Callable[[], int],
    ) -> None:
        self._station = station
        self._ledger = ledger
        self._metrics = metrics
        self._send = send
        self._published = published
        self._tell: Callable[[Sequence[Score]], None] = _nobody

    def send_at_most(self, per_hour: int) -> None:
        """Send so many events of an hour one by one, from the next step on."""
        self._station = replace(self._station, most_per_hour=per_hour)

    @property
    def model(self) -> str:
        """The model that scores."""
        return self._station.model

    def is_new(self, score: Score) -> bool:
        """Say whether a window was not scored, by this model or one before it."""
        return not self._ledger.is_scored(score)

    def tell(self, take: Callable[[Sequence[Score]], None]) -> None:
        """Have new scores told to somebody, once they are kept."""
        self._tell = take

    def keep(self, step: Step, drafts: Sequence[Draft] = ()) -> None:
        """Commit a step with its messages, and send them."""
        here = self._ledger
        outgoing = number(
            drafts,
            station=self._station.name,
            epoch=here.epoch,
            after=here.sequence,
            nonce=secrets.token_hex(_NONCE_BYTES),
        )
        with self._metrics.stage("commit"):
            here.commit(
                replace(step, published=self._published(), outgoing=outgoing), self._station.model
            )
        self._say(outgoing)
        self._metrics.take_drafts(drafts)

    def keep_heard(self, heard: Heard, step: Step) -> None:
        """Commit what was heard in a step, as far as it is new, and send what there is to say."""
        scores = self._ledger.unscored(heard.scores, self._station.model)
        events = revisions(heard.events, self._ledger.event)
        step = replace(step, scores=scores, events=events)
        book, most = self._ledger.alerts, self._station.most_per_hour
        step, drafts = alerted(step, heard, book, most_per_hour=most)
        self.keep(step, drafts)
        self._metrics.take_scores(scores)
        if heard.scores:  # new or not
            self._metrics.unscored_s = 0.0
        self._tell(scores)
        self._metrics.take_gaps(heard.gaps)
        if "live" in step.lanes:
            self._metrics.take_channel(heard.dead, heard.rate_ratio)
        self._metrics.held_back.inc(len(step.held))
        self._metrics.take_events(step.events)

    def announce(self, draft: Draft, *, model: str, ended: Sequence[Event] = ()) -> None:
        """Say that another model scores from now on; what the one before left open, is closed.

        `ended` is that, as it is if it ends here; what else is open ends as it is known.
        """
        last = revisions(ended, self._ledger.event)
        told = {event["id"] for event in last}
        left = tuple(
            with_evidence({**event, "status": "closed"})
            for event in self._ledger.open_events()
            if event["id"] not in told
        )
        book, most = self._ledger.alerts, self._station.most_per_hour
        lanes = {lane: replace(self._ledger.lane(lane), tracker={}) for lane in LANES}
        step = Step(events=(*last, *left), lanes=lanes, model=model)
        step, drafts = alerted(step, NOTHING, book, most_per_hour=most)
        self.keep(step, [*drafts, draft])
        self._station = replace(self._station, model=model)
        self._metrics.take_events(step.events)

    def sum_up(self) -> None:
        """Tell of the events held back in hours that no summary told of yet."""
        if untold := self._ledger.alerts.untold():
            self.keep(Step(told=tuple(untold)), summed_up(untold, self._ledger.alerts))

    def publish_again(self) -> None:
        """Send what was committed but not known to be sent."""
        last = self._ledger.published
        while waiting := self._ledger.messages(last, _MESSAGES_AT_ONCE):
            self._say(waiting)
            last = waiting[-1].sequence

    def _say(self, messages: Sequence[Outgoing]) -> None:
        if messages:
            with self._metrics.stage("publish"):
                self._send(messages)
            self._metrics.take_messages(messages)


def _nobody(_scores: Sequence[Score]) -> None:
    """Tell nobody."""
