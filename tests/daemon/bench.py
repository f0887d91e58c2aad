"""A pipeline that is driven by hand, on a ledger of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.drop.arrivals import Arrivals
from daemon.drop.files import Drop
from daemon.drop.listing import scan
from daemon.hearing.keeping import Keeper, Station
from daemon.hearing.pipeline import Feed, Pipeline
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.ledger.stored import stored_events, stored_scores
from daemon.metrics import Metrics
from daemon.progress import Outgoing
from detector.scoring.listen import Listener
from tests.daemon.fakes import LoudnessScorer

Found = tuple[list[dict[str, Any]], list[dict[str, Any]]]


@dataclass
class Bench:
    """A pipeline that does a task at a time, the oldest first, as long as there is one."""

    pipeline: Pipeline
    keeper: Keeper
    ledger: Ledger
    metrics: Metrics
    drop: Path
    arrivals: Arrivals = field(
        default_factory=lambda: Arrivals(settle_s=0.0, rate_hz=24_000, band="BB")
    )
    sent: list[Outgoing] = field(default_factory=list)

    def work(self, steps: int = 1 << 30) -> int:
        """Do up to so many steps, and return how many were left undone."""
        while steps:
            plan = self.arrivals.look(scan(self.drop), self.ledger.files, 0.0)
            if not plan.tasks:
                break
            task = plan.tasks[0]
            if not self.pipeline.do(task, plan.order) and task.do == "read":
                self.arrivals.exhausted(task, self.ledger.files)
            steps -= 1
        return steps

    def records_read(self) -> float | None:
        """Return how many records were read of files."""
        name = "kilokai_records_total"
        return self.metrics.registry.get_sample_value(name, {"outcome": "read"})

    def compared(self, verdict: str) -> float | None:
        """Return how many files were found to be so."""
        name = "kilokai_files_compared_total"
        return self.metrics.registry.get_sample_value(name, {"verdict": verdict})


@contextmanager
def bench_on(drop: Path, store: Path) -> Iterator[Bench]:
    """Give a bench on a drop."""
    scorer = LoudnessScorer()
    sent: list[Outgoing] = []

    def send(messages: Sequence[Outgoing]) -> None:
        sent.extend(messages)

    def published() -> int:
        return sent[-1].sequence if sent else ledger.published

    with open_ledger(store) as ledger:
        metrics = Metrics("loudness", 2.0)
        keeper = Keeper(
            Station("aco", scorer.model),
            ledger=ledger,
            metrics=metrics,
            send=send,
            published=published,
        )
        pipeline = Pipeline(
            Feed(Drop(drop)),
            lambda state: Listener(scorer, station="aco", state=state),  # type: ignore[arg-type]
            ledger=ledger,
            metrics=metrics,
            keeper=keeper,
        )
        yield Bench(pipeline, keeper, ledger, metrics, drop, sent=sent)


def found_in(store: Path) -> Found:
    """Return the scores and the events of a store."""
    return stored_scores(store), stored_events(store)
