"""What all other parts of the service stand on: the ledger, the bus, the metrics, the ears."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import torch

from daemon.bus.process import BusProcess, open_bus
from daemon.bus.server import Order
from daemon.config import Config
from daemon.drop.files import Drop
from daemon.drop.pace import Replay, records_in
from daemon.drop.watch import Watch
from daemon.hearing.ears import Listen
from daemon.hearing.keeping import Keeper, Station
from daemon.hearing.pipeline import RECORDS_A_STEP, Feed, Pipeline
from daemon.ledger.database import LEDGER_FILE
from daemon.ledger.ledger import Ledger, open_ledger
from daemon.metrics import Metrics, Served, serve_metrics
from daemon.models.loading import First, Loading
from daemon.models.registry import Registry as ModelRegistry
from daemon.models.starting import announce_first
from daemon.models.switching import ModelSwitch
from detector import load_model
from detector.scoring.listen import Listener
from detector.scoring.score import Scorer


@dataclass(frozen=True)
class Ground:
    """What is opened first: `page` is that of the metrics."""

    config: Config
    loading: Loading
    first: First
    ledger: Ledger
    metrics: Metrics
    bus: BusProcess
    page: Served

    @property
    def rate_hz(self) -> float:
        """The sampling rate that every model of this run hears."""
        return self.first.scorer.features.rate_hz


@dataclass(frozen=True)
class Ears:
    """What hears the drop, and keeps and says what was heard."""

    watch: Watch
    drop: Drop
    keeper: Keeper
    pipeline: Pipeline
    switch: ModelSwitch


def open_ground(stack: ExitStack, config: Config) -> Ground:
    """Return what all else stands on; `stack` closes it.

    Raises
    ------
    SetupError
        If there is no such model, or a setting does not fit.
    NotReadyError
        If a port or the store is in use, or the disk does not take it now.
    """
    loading = _loading(config)
    first = loading.first()
    ledger = stack.enter_context(open_ledger(config.store.path))
    metrics = Metrics(first.scorer.model, first.scorer.threshold)
    metrics.take_up(ledger)
    metrics.alarms_promised.set(config.detector.false_alarms_per_hour)
    bus = stack.enter_context(open_bus(_order(config, ledger)))
    page = stack.enter_context(serve_metrics(metrics, config.metrics))
    return Ground(config, loading, first, ledger, metrics, bus, page)


def open_ears(stack: ExitStack, ground: Ground, replay: Replay | None) -> Ears:
    """Return what hears, after it said what was left unsaid and which model scores."""
    config, ledger, metrics = ground.config, ground.ledger, ground.metrics
    scorer = ground.first.scorer
    watch = stack.enter_context(Watch(config.drop.path))
    drop = Drop(config.drop.path, arm=watch.arm if config.drop.watch == "inotify" else _no_hints)
    station = Station(config.station.name, scorer.model, config.alerts.most_per_hour)
    bus = ground.bus
    keeper = Keeper(
        station,
        ledger=ledger,
        metrics=metrics,
        send=bus.send,
        published=lambda: bus.published,
    )
    keeper.publish_again()
    listen = _listen(config)
    announce_first(ground.first, ground.loading, listen, ledger=ledger, keeper=keeper)
    pipeline = Pipeline(
        _feed(drop, scorer, replay), listen(scorer), ledger=ledger, metrics=metrics, keeper=keeper
    )
    switch = ModelSwitch(
        ground.first, ground.loading, pipeline=pipeline, metrics=metrics, listen=listen
    )
    return Ears(watch, drop, keeper, pipeline, switch)


def _loading(config: Config) -> Loading:
    settings = config.detector
    torch.set_num_threads(settings.threads)

    def configured() -> Scorer:
        return load_model(settings.model, false_alarms_per_hour=settings.false_alarms_per_hour)

    return Loading(config, ModelRegistry(config.store.path), configured)


def _listen(config: Config) -> Callable[[Scorer], Listen]:
    def by(scorer: Scorer) -> Listen:
        return lambda tracker: Listener(scorer, station=config.station.name, state=tracker)

    return by


def _order(config: Config, ledger: Ledger) -> Order:
    bus = config.bus
    return Order(
        publish=bus.publish,
        replay=bus.replay,
        keys=None if bus.keys is None else str(bus.keys.absolute()),
        credential=bus.credential,
        ledger=str((config.store.path / LEDGER_FILE).resolve()),
        epoch=ledger.epoch,
        published=ledger.published,
        until=ledger.sequence,
    )


def _feed(drop: Drop, scorer: Scorer, replay: Replay | None) -> Feed:
    rate_hz, step_s = scorer.features.rate_hz, replay.step_s if replay else None
    return Feed(drop, rate_hz, records_in(step_s, rate_hz, most=RECORDS_A_STEP))


def _no_hints() -> None:
    """Leave it to the scans, as a network drive tells nothing."""
