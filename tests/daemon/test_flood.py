"""A flood of events through the pipeline: few messages, every event stored, nothing by chance."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acoio.errors import NotReadyError
from daemon.bus.wire import model_draft
from daemon.drop.arrivals import Arrivals
from daemon.drop.files import Drop
from daemon.drop.listing import scan
from daemon.hearing.keeping import Keeper, Station
from daemon.hearing.pipeline import Feed, Pipeline
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.ledger.stored import stored_events
from daemon.metrics import Metrics
from daemon.progress import Step
from tests.daemon.flood import FloodEar
from tests.daemon.sea import Sea

MOST = 60
_HOURS = ("2024-03-01T06:00:00.000000Z", "2024-03-01T07:00:00.000000Z")


@dataclass
class _Run:
    ledger: Ledger
    pipeline: Pipeline
    keeper: Keeper
    metrics: Metrics
    step: Callable[[], bool]

    def work(self) -> None:
        while self.step():
            pass
        self.pipeline.finish()

    def messages(self) -> list[dict[str, Any]]:
        """Return every message without what differs from ledger to ledger."""
        said = [json.loads(message.text) for message in self.ledger.messages(0, 10_000)]
        return [{k: v for k, v in one.items() if k not in ("id", "epoch", "nonce")} for one in said]


@contextmanager
def _run(drop: Path, store: Path, most: int = MOST) -> Iterator[_Run]:
    metrics, arrivals = Metrics("flood", 1.0), Arrivals(settle_s=0.0, rate_hz=24_000, band="BB")
    with open_ledger(store) as ledger:
        station = Station("aco", "flood", most_per_hour=most)
        keeper = Keeper(
            station, ledger=ledger, metrics=metrics, send=lambda _: None, published=lambda: 0
        )
        feed = Feed(Drop(drop))
        pipeline = Pipeline(feed, FloodEar, ledger=ledger, metrics=metrics, keeper=keeper)

        def step() -> bool:
            plan = arrivals.look(scan(drop), ledger.files, 0.0)
            if plan.tasks and not pipeline.do(plan.tasks[0], plan.order):
                arrivals.exhausted(plan.tasks[0], ledger.files)
            return bool(plan.tasks)

        yield _Run(ledger, pipeline, keeper, metrics, step)


def _told(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one["data"] for one in messages if one["type"] == f"kilokai.v1.{kind}"]


_Whole = tuple[list[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def whole(sea: Sea, tmp_path_factory: pytest.TempPathFactory) -> _Whole:
    """The messages and the stored events of one unbroken run."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "drop").mkdir()
    for name, data in sea.cut():
        (folder / "drop" / name).write_bytes(data)
    with _run(folder / "drop", folder / "store") as run:
        run.work()
        return run.messages(), stored_events(folder / "store")


@pytest.fixture
def unbroken(whole: _Whole) -> list[dict[str, Any]]:
    return whole[0]


def test_a_flood_is_few_messages_and_a_summary_an_hour_and_all_is_stored(whole: _Whole) -> None:
    unbroken, stored = whole
    assert len(stored) > 2500
    assert {event["status"] for event in stored} == {"closed"}
    assert {event["bout"] for event in stored} == {stored[0]["id"], stored[1]["id"]}
    events, summaries = _told(unbroken, "event"), _told(unbroken, "summary")
    by_id = {event["id"]: event for event in stored}
    assert [(s["begin"], s["end"]) for s in summaries] == [
        (_HOURS[0], _HOURS[1]),
        (_HOURS[1], "2024-03-01T08:00:00.000000Z"),
    ]
    for hour, summary in zip(_HOURS, summaries, strict=True):
        status = Counter(e["status"] for e in events if e["begin"][:13] == hour[:13])
        assert status == {"open": MOST, "closed": MOST}
        sent = {event["id"] for event in events}
        held = [e for e in stored if e["begin"][:13] == hour[:13] and e["id"] not in sent]
        assert summary["held_back"] == Counter(event["severity"] for event in held)
        assert summary["loudest_score"] == max(event["score"] for event in held)
        assert by_id[summary["loudest"]]["score"] == summary["loudest_score"]


def test_an_event_that_was_sent_open_is_sent_closed_and_no_other(
    unbroken: list[dict[str, Any]],
) -> None:
    events = _told(unbroken, "event")
    first = {event["id"]: k for k, event in reversed(list(enumerate(events)))}
    assert all(
        [e["status"] for e in events[k:] if e["id"] == name] == ["open", "closed"]
        for name, k in first.items()
    )


def test_the_same_flood_again_gives_the_same_messages(
    full_drop: Path, tmp_path: Path, unbroken: object
) -> None:
    with _run(full_drop, tmp_path / "again") as run:
        run.work()
        assert run.messages() == unbroken


def test_a_restart_after_every_step_changes_no_message(
    full_drop: Path, tmp_path: Path, unbroken: object
) -> None:
    for _ in range(10):
        with _run(full_drop, tmp_path / "store") as run:
            assert run.step()
    with _run(full_drop, tmp_path / "store") as run:
        run.work()
        assert run.messages() == unbroken


def test_a_commit_that_fails_changes_no_message(
    full_drop: Path, tmp_path: Path, unbroken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, full = Ledger.commit, [True, False, True, False, False, True]

    def failing(self: Ledger, step: Step, model: str) -> None:
        if full and full.pop(0):
            raise NotReadyError("ledger: database or disk is full")
        commit(self, step, model)

    with _run(full_drop, tmp_path / "store") as run:
        monkeypatch.setattr(Ledger, "commit", failing)
        while full:
            try:
                run.step()
            except NotReadyError:
                continue
        run.work()
        assert run.messages() == unbroken
        held = run.metrics.registry.get_sample_value("kilokai_alerts_held_back_total")
        assert held == sum(
            sum(summary["held_back"].values()) for summary in _told(run.messages(), "summary")
        )


def test_none_an_hour_leaves_the_summaries_alone(full_drop: Path, tmp_path: Path) -> None:
    with _run(full_drop, tmp_path / "store", most=0) as run:
        run.work()
        assert {one["type"] for one in run.messages()} == {"kilokai.v1.summary"}


def test_below_the_limit_nothing_is_held_back(full_drop: Path, tmp_path: Path) -> None:
    with _run(full_drop, tmp_path / "store", most=3600) as run:
        run.work()
        assert {one["type"] for one in run.messages()} == {"kilokai.v1.event"}
        opened = [e for e in _told(run.messages(), "event") if e["status"] == "open"]
        assert len(opened) == len(stored_events(tmp_path / "store"))


def test_another_model_closes_what_was_held_back_in_silence(
    full_drop: Path, tmp_path: Path
) -> None:
    with _run(full_drop, tmp_path / "store", most=0) as run:
        run.step()
        assert len(run.ledger.open_events()) == 1
        draft = model_draft(
            "2024-03-01T00:00:00.000000Z", model="b", threshold=1, previous="a", by="promote"
        )
        run.keeper.announce(draft, model="b")
        assert run.ledger.open_events() == []
        assert [one["type"] for one in run.messages()] == ["kilokai.v1.model"]


def test_what_comes_late_to_an_hour_that_was_told_is_told_with_it_again(
    full_drop: Path, tmp_path: Path, unbroken: list[dict[str, Any]]
) -> None:
    files = sorted(full_drop.iterdir())
    late = files[1].rename(tmp_path / "late")
    with _run(full_drop, tmp_path / "store") as run:
        run.work()
        before = _told(run.messages(), "summary")
        late.rename(files[1])
        run.work()
        after = _told(run.messages(), "summary")
    assert [s["begin"] for s in after] == [*_HOURS, _HOURS[0]]
    counts = [sum(s["held_back"].values()) for s in (before[0], after[-1])]
    assert counts[0] < counts[1]
    assert after[-1]["held_back"] == _told(unbroken, "summary")[0]["held_back"]
