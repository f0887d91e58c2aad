"""The service: one thread, one ExitStack, one loop."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from threading import Event
from types import FrameType

import structlog
import torch

from daemon.arrivals import Arrivals
from daemon.aside import guarded
from daemon.config import Config
from daemon.drop import Drop
from daemon.gate import open_curve
from daemon.heart import Heart
from daemon.ledger import Ledger, open_ledger
from daemon.lookout import Lookout
from daemon.loop import Chore, Loop, Parts
from daemon.metrics import Metrics, serve_metrics
from daemon.notify import notify
from daemon.old_messages import OldMessages
from daemon.pipeline import Feed, Pipeline
from daemon.publish import open_publisher
from daemon.requests import Requests
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
        with guarded(config.store.path):  # innermost: a failing disk is left with all open
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
    scorer = _scorer(config)
    ledger = stack.enter_context(open_ledger(config.store.path))
    threshold = scorer.event_settings(config.station.name).threshold
    metrics = Metrics(scorer.model, threshold)
    publisher = stack.enter_context(
        open_publisher(
            config.bus.publish,
            config.bus.replay,
            curve=open_curve(config.bus, os.environ),
            refused=lambda reason: metrics.refused.labels(reason).inc(),
        )
    )
    metrics.sequence.set(ledger.sequence)
    metrics.rebuilt.inc(ledger.rebuilt)
    address = stack.enter_context(serve_metrics(metrics, config.metrics.listen))
    watch = stack.enter_context(Watch(config.drop.path))
    drop = Drop(config.drop.path, arm=watch.arm if config.drop.watch == "inotify" else _no_hints)
    feed = Feed(
        drop,
        config.station.name,
        scorer.model,
        scorer.features.rate_hz,
        config.alerts.most_per_hour,
    )
    pipeline = Pipeline(
        feed,
        lambda tracker: Listener(scorer, station=feed.station, state=tracker),
        ledger=ledger,
        metrics=metrics,
        send=publisher.send,
    )
    pipeline.publish_again()
    if ledger.model != scorer.model:
        now = iso(datetime.now(UTC))
        draft = model_draft(now, model=scorer.model, threshold=threshold, previous=ledger.model)
        pipeline.announce(draft, model=scorer.model)
    _log.info("ready", metrics=address, model=scorer.model, bus=publisher.endpoints)
    lookout = Lookout(
        drop,
        watch,
        Arrivals(
            settle_s=config.drop.settle_s,
            rate_hz=scorer.features.rate_hz,
            band=config.drop.band,
        ),
        ledger.files,
        rescan_s=config.drop.rescan_s,
        settle_s=config.drop.settle_s,
    )
    heart = Heart(
        publisher, ledger, station=config.station.name, heartbeat_s=config.bus.heartbeat_s
    )
    parts = Parts(
        drop, lookout, ledger, pipeline, publisher, heart, metrics, _chores(config, ledger)
    )
    return Loop(config, parts)


def _chores(config: Config, ledger: Ledger) -> list[Chore]:
    return [
        Requests(config.store.path, handlers={}),
        OldMessages(ledger, days=config.store.messages_days),
    ]


def _scorer(config: Config) -> Scorer:
    torch.set_num_threads(config.detector.threads)
    settings = config.detector
    return load_model(settings.model, false_alarms_per_hour=settings.false_alarms_per_hour)


def _no_hints() -> None:
    """Leave it to the scans, as a network drive tells nothing."""
