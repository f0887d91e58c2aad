"""The service: one thread, one ExitStack, one loop."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from threading import Event
from types import FrameType
from typing import Any

import structlog
import torch

from daemon.arrivals import Arrivals
from daemon.aside import guarded
from daemon.catching_up import CatchingUp
from daemon.config import Config
from daemon.errors import plain
from daemon.evidence_chore import EvidenceChore, open_evidence
from daemon.heart import Heart
from daemon.ledger import Ledger, open_ledger
from daemon.loop import Loop, Parts
from daemon.metrics import Metrics, serve_metrics
from daemon.notify import notify
from daemon.old_messages import OldMessages
from daemon.pace import Replay, records_in
from daemon.pipeline import RECORDS_A_STEP, Feed, Pipeline
from daemon.publish import Publisher, open_publisher
from daemon.requests import Handler, Requests
from daemon.retry import retry_of
from daemon.reviews import Reviews
from daemon.room import Room
from daemon.status_file import StatusFile
from daemon.watch import Watch
from daemon.wire import model_draft
from detector import load_model
from detector.listen import Listener
from detector.score import Scorer
from detector.values import iso

_log = structlog.get_logger()


def run(config: Config, *, until_idle: bool = False, replay: Replay | None = None) -> int:
    """Watch, score and publish until a signal, or until all is done; return the exit code.

    A `replay` shows the drop as if it arrived now.

    Raises
    ------
    SetupError
        If it cannot work so: a port or the store is in use, or there is no such model.
    """
    with ExitStack() as stack:
        stop = stack.enter_context(stop_signals())
        with guarded(config.store.path):  # innermost: a failing disk is left with all open
            loop, evidence = _open(stack, config, replay)
            notify("READY=1", os.environ)
            stack.callback(notify, "STOPPING=1", os.environ)
            code = loop.run(stop, until_idle=until_idle)
            if until_idle:
                evidence.finish(stop)
        _log.info("stopping", exit_code=code)
        return code


@contextmanager
def stop_signals() -> Iterator[Event]:
    """Give what SIGTERM and SIGINT set, and put the former handlers back."""
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    wanted = (signal.SIGTERM, signal.SIGINT)
    former = {number: signal.signal(number, on_signal) for number in wanted}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _open(stack: ExitStack, config: Config, replay: Replay | None) -> tuple[Loop, EvidenceChore]:
    scorer = _scorer(config)
    ledger = stack.enter_context(open_ledger(config.store.path))
    publisher = stack.enter_context(open_publisher(config.bus.publish, config.bus.replay))
    threshold = scorer.event_settings(config.station.name).threshold
    metrics = Metrics(scorer.model, threshold)
    metrics.sequence.set(ledger.sequence)
    metrics.rebuilt.inc(ledger.rebuilt)
    address = stack.enter_context(serve_metrics(metrics, config.metrics.listen))
    pipeline = _pipeline(
        config, _feed(config, scorer, replay), scorer,
        ledger=ledger, metrics=metrics, publisher=publisher,
    )  # fmt: skip
    pipeline.publish_again()
    if ledger.model != scorer.model:
        now = iso(datetime.now(UTC))
        draft = model_draft(now, model=scorer.model, threshold=threshold, previous=ledger.model)
        pipeline.announce(draft, model=scorer.model)
    _log.info("ready", metrics=address, model=scorer.model, bus=publisher.endpoints)
    evidence = stack.enter_context(
        open_evidence(config, ledger, metrics, rate_hz=scorer.features.rate_hz)
    )
    handlers: dict[str, Handler] = {
        "retry": retry_of(ledger),
        "review": Reviews(config.store.path, ledger, pipeline.keep),
    }
    catching_up = CatchingUp(ledger.files, metrics, rate_hz=scorer.features.rate_hz)
    said = {"model": scorer.model, "threshold": threshold, "metrics": address}
    said["rate_hz"], said["bus"] = scorer.features.rate_hz, publisher.endpoints
    room = Room()
    parts = Parts(
        arrivals=Arrivals(
            settle_s=config.drop.settle_s,
            rate_hz=scorer.features.rate_hz,
            band=config.drop.band,
        ),
        ledger=ledger,
        pipeline=pipeline,
        publisher=publisher,
        heart=Heart(
            publisher, ledger, station=config.station.name, heartbeat_s=config.bus.heartbeat_s
        ),
        watch=stack.enter_context(Watch(config.drop.path)),
        metrics=metrics,
        catching_up=catching_up,
        room=room,
        replay=replay,
        chores=[
            Requests(config.store.path, handlers=handlers),
            evidence,
            OldMessages(ledger, days=config.store.messages_days),
            catching_up,
            _status_file(config, said, catching_up, room),
        ],
    )
    return Loop(config, parts), evidence


def _status_file(
    config: Config, said: Mapping[str, Any], catching_up: CatchingUp, room: Room
) -> StatusFile:
    def say() -> Mapping[str, Any]:
        return {**catching_up.as_json(), "store_full": room.full}

    return StatusFile(
        config.store.path,
        heartbeat_s=config.bus.heartbeat_s,
        fixed={"station": config.station.name, "drop": plain(config.drop.path), **said},
        say=say,
    )


def _scorer(config: Config) -> Scorer:
    torch.set_num_threads(config.detector.threads)
    settings = config.detector
    return load_model(settings.model, false_alarms_per_hour=settings.false_alarms_per_hour)


def _feed(config: Config, scorer: Scorer, replay: Replay | None) -> Feed:
    rate_hz = scorer.features.rate_hz
    step_s = replay.step_s if replay else None
    records = records_in(step_s, rate_hz, most=RECORDS_A_STEP)
    return Feed(config.drop.path, config.station.name, scorer.model, rate_hz, records)


def _pipeline(
    config: Config,
    feed: Feed,
    scorer: Scorer,
    *,
    ledger: Ledger,
    metrics: Metrics,
    publisher: Publisher,
) -> Pipeline:
    def listen(tracker: Mapping[str, Any]) -> Listener:
        return Listener(scorer, station=config.station.name, state=tracker)

    return Pipeline(feed, listen, ledger=ledger, metrics=metrics, send=publisher.send)
