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
from daemon.config import Config
from daemon.gate import open_curve
from daemon.heart import Heart
from daemon.ledger import Ledger, open_ledger
from daemon.loop import Loop, Parts
from daemon.metrics import Metrics, serve_metrics
from daemon.notify import notify
from daemon.pipeline import Feed, Pipeline
from daemon.publish import Publisher, open_publisher
from daemon.watch import Watch
from daemon.wire import model_draft
from detector import load_model
from detector.listen import Listener
from detector.score import Scorer
from detector.values import iso

_log = structlog.get_logger()


def run(config: Config, *, until_idle: bool = False) -> int:
    """Watch, score and publish until a signal, or until all is done; return the exit code.

    Raises
    ------
    SetupError
        If it cannot work so: a port or the store is in use, or there is no such model.
    """
    with ExitStack() as stack:
        stop = stack.enter_context(stop_signals())
        loop = _open(stack, config)
        notify("READY=1", os.environ)
        stack.callback(notify, "STOPPING=1", os.environ)
        code = loop.run(stop, until_idle=until_idle)
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


def _open(stack: ExitStack, config: Config) -> Loop:
    curve = open_curve(config.bus, os.environ)
    scorer = _scorer(config)
    ledger = stack.enter_context(open_ledger(config.store.path))
    threshold = scorer.event_settings(config.station.name).threshold
    metrics = Metrics(scorer.model, threshold)
    publisher = stack.enter_context(
        open_publisher(
            config.bus.publish,
            config.bus.replay,
            curve=curve,
            refused=lambda reason: metrics.refused.labels(reason).inc(),
        )
    )
    metrics.sequence.set(ledger.sequence)
    address = stack.enter_context(serve_metrics(metrics, config.metrics.listen))
    pipeline = _pipeline(config, scorer, ledger=ledger, metrics=metrics, publisher=publisher)
    pipeline.publish_again()
    if ledger.model != scorer.model:
        now = iso(datetime.now(UTC))
        draft = model_draft(now, model=scorer.model, threshold=threshold, previous=ledger.model)
        pipeline.announce(draft, model=scorer.model)
    _log.info("ready", metrics=address, model=scorer.model, bus=publisher.endpoints)
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
    )
    return Loop(config, parts)


def _scorer(config: Config) -> Scorer:
    torch.set_num_threads(config.detector.threads)
    settings = config.detector
    return load_model(settings.model, false_alarms_per_hour=settings.false_alarms_per_hour)


def _pipeline(
    config: Config, scorer: Scorer, *, ledger: Ledger, metrics: Metrics, publisher: Publisher
) -> Pipeline:
    def listen(tracker: Mapping[str, Any]) -> Listener:
        return Listener(scorer, station=config.station.name, state=tracker)

    feed = Feed(config.drop.path, config.station.name, scorer.model, scorer.features.rate_hz)
    return Pipeline(feed, listen, ledger=ledger, metrics=metrics, send=publisher.send)
