"""All parts of the service, made, opened and joined: what is opened last is closed first."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import structlog
import torch

from daemon.arrivals import Arrivals
from daemon.catching_up import CatchingUp
from daemon.config import Config
from daemon.drift.rates import AlarmRates
from daemon.drift.watch import DriftWatch
from daemon.drop import Drop
from daemon.errors import plain
from daemon.evidence_chore import EvidenceChore, open_evidence
from daemon.gate import Curve, open_curve
from daemon.hearing import Listen
from daemon.heart import Heart
from daemon.keeping import Keeper, Station
from daemon.ledger import Ledger, open_ledger
from daemon.lookout import Lookout
from daemon.loop import Loop
from daemon.metrics import Metrics, serve_metrics
from daemon.models.loading import Loading
from daemon.models.registry import Registry as ModelRegistry
from daemon.models.starting import announce_first
from daemon.models.switching import ModelSwitch
from daemon.old_messages import OldMessages
from daemon.pace import Replay, Replayed, records_in
from daemon.parts import Parts
from daemon.pipeline import RECORDS_A_STEP, Feed, Pipeline
from daemon.publish import Publisher, open_publisher
from daemon.reload import Live, Reload
from daemon.requests import Handler, Requests
from daemon.retrain_metrics import RetrainMetrics
from daemon.retry import retry_of
from daemon.reviews import Reviews
from daemon.room import Room
from daemon.signals import Again
from daemon.state_line import telling
from daemon.status_file import StatusFile
from daemon.store_metrics import StoreRoom
from daemon.watch import Watch
from detector import load_model
from detector.listen import Listener
from detector.score import Scorer

_log = structlog.get_logger()


@dataclass(frozen=True)
class Service:
    """The loop, and what is still to be made and said when it has ended."""

    loop: Loop
    evidence: EvidenceChore
    catching_up: CatchingUp
    drift: DriftWatch
    status_file: StatusFile

    def say_stopped(self) -> None:
        """Leave word in the store that this end was wanted, and how things stand."""
        self.catching_up.finish(time.monotonic())
        self.drift.say()
        self.status_file.stop()


def assemble(
    stack: ExitStack, config: Config, replay: Replay | None = None, again: Again | None = None
) -> Service:
    """Return a service that is ready to run; `stack` closes it.

    A `replay` shows the drop as if it arrived now; `again` gives another configuration.

    Raises
    ------
    SetupError
        If it cannot work so: a port or the store is in use, or there is no such model.
    """
    curve = open_curve(config.bus, os.environ)
    loading = _loading(config)
    first = loading.first()
    scorer = first.scorer
    ledger = stack.enter_context(open_ledger(config.store.path))
    metrics = Metrics(scorer.model, scorer.threshold)
    metrics.take_up(ledger)
    metrics.alarms_promised.set(config.detector.false_alarms_per_hour)
    publisher = _publisher(stack, config, curve, metrics)
    address = stack.enter_context(serve_metrics(metrics, config.metrics))
    watch = stack.enter_context(Watch(config.drop.path))
    drop = Drop(config.drop.path, arm=watch.arm if config.drop.watch == "inotify" else _no_hints)
    keeper = _keeper(config, scorer, ledger=ledger, metrics=metrics, publisher=publisher)
    listen = _listen(config)
    announce_first(first, loading, listen, ledger=ledger, keeper=keeper)
    pipeline = Pipeline(
        _feed(drop, scorer, replay), listen(scorer), ledger=ledger, metrics=metrics, keeper=keeper
    )
    switch = ModelSwitch(first, loading, pipeline=pipeline, metrics=metrics, listen=listen)
    drift = DriftWatch(config.store.path, ledger, metrics, lambda: switch.scorer)
    rates = AlarmRates(
        ledger, metrics, lambda: switch.scorer, promised=config.detector.false_alarms_per_hour
    )
    keeper.tell(drift.take)
    came_from = switch.said()["model_from"]
    _log.info(
        "ready", metrics=address, model=scorer.model, model_from=came_from, bus=publisher.endpoints
    )
    evidence = stack.enter_context(
        open_evidence(config, ledger, metrics, rate_hz=scorer.features.rate_hz)
    )
    catching_up, room = CatchingUp(ledger.files, metrics, rate_hz=scorer.features.rate_hz), Room()
    said = {"metrics": address, "rate_hz": scorer.features.rate_hz, "bus": publisher.endpoints}
    reload = Reload(config, again or Again(lambda: config))

    def changing() -> Mapping[str, Any]:
        told = {"store_full": room.full, "drift": drift.as_json(), "alarms": rates.as_json()}
        return {**catching_up.as_json(), **switch.said(), **reload.said(), **told}

    status_file = _status_file(config, said, changing)
    old_messages = OldMessages(ledger, days=config.store.messages_days)
    handlers: dict[str, Handler] = {
        "review": Reviews(config.store.path, ledger, keeper.keep),
        "retry": retry_of(ledger),
    }
    parts = Parts(
        drop=drop,
        lookout=Lookout(
            drop,
            watch,
            _arrivals(config, scorer, replay),
            ledger.files,
            rescan_s=config.drop.rescan_s,
            settle_s=config.drop.settle_s,
        ),
        ledger=ledger,
        pipeline=pipeline,
        publisher=publisher,
        heart=Heart(
            publisher,
            ledger,
            station=config.station.name,
            heartbeat_s=config.bus.heartbeat_s,
            tell=telling(ledger, catching_up, room),
            beaten=metrics.messages.labels("heartbeat").inc,
        ),
        metrics=metrics,
        catching_up=catching_up,
        room=room,
        replay=replay,
        chores=(
            Requests(config.store.path, handlers),
            old_messages,
            evidence,
            catching_up,
            switch,
            reload,
            drift,
            rates,
            status_file,
            StoreRoom(config.store.path, metrics),
            RetrainMetrics(config.store.path, metrics),
        ),
    )
    loop = Loop(config, parts)
    reload.take = Live(
        loop, parts.lookout, keeper, evidence, old_messages, parts.heart, status_file
    ).take
    return Service(loop, evidence, catching_up, drift, status_file)


def _status_file(
    config: Config, said: Mapping[str, Any], say: Callable[[], Mapping[str, Any]]
) -> StatusFile:
    return StatusFile(
        config.store.path,
        heartbeat_s=config.bus.heartbeat_s,
        fixed={
            "station": config.station.name,
            "timezone": config.station.timezone,
            "drop": plain(config.drop.path),
            **said,
        },
        say=say,
    )


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


def _publisher(
    stack: ExitStack, config: Config, curve: Curve | None, metrics: Metrics
) -> Publisher:
    return stack.enter_context(
        open_publisher(
            config.bus.publish,
            config.bus.replay,
            curve=curve,
            refused=lambda reason: metrics.refused.labels(reason).inc(),
        )
    )


def _feed(drop: Drop, scorer: Scorer, replay: Replay | None) -> Feed:
    rate_hz, step_s = scorer.features.rate_hz, replay.step_s if replay else None
    return Feed(drop, rate_hz, records_in(step_s, rate_hz, most=RECORDS_A_STEP))


def _keeper(
    config: Config, scorer: Scorer, *, ledger: Ledger, metrics: Metrics, publisher: Publisher
) -> Keeper:
    """Return what commits and says, after it said what was left unsaid."""
    station = Station(config.station.name, scorer.model, config.alerts.most_per_hour)
    keeper = Keeper(station, ledger=ledger, metrics=metrics, send=publisher.send)
    keeper.publish_again()
    return keeper


def _arrivals(config: Config, scorer: Scorer, replay: Replay | None) -> Arrivals:
    settle_s, rate_hz, band = config.drop.settle_s, scorer.features.rate_hz, config.drop.band
    if replay:
        return Replayed(replay, settle_s=settle_s, rate_hz=rate_hz, band=band)
    return Arrivals(settle_s=settle_s, rate_hz=rate_hz, band=band)


def _no_hints() -> None:
    """Leave it to the scans, as a network drive tells nothing."""
