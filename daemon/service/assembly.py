"""All parts of the service, made, opened and joined: what is opened last is closed first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import structlog

from acoio.clock import from_us
from daemon.config import Config
from daemon.drift.compare import DriftWatch
from daemon.drift.rates import AlarmRates
from daemon.drop.arrivals import Arrivals
from daemon.drop.catching_up import CatchingUp
from daemon.drop.lookout import Lookout
from daemon.drop.pace import Replay, Replayed
from daemon.errors import plain
from daemon.events.reviews import Reviews
from daemon.evidence.chore import EvidenceChore, open_evidence
from daemon.health.heart import Heart
from daemon.health.state_line import telling
from daemon.health.status_file import StatusFile
from daemon.ledger.old_messages import OldMessages
from daemon.retraining.state_metrics import RetrainMetrics
from daemon.service.foundations import Ears, Ground, open_ears, open_ground
from daemon.service.loop import Loop
from daemon.service.parts import Chore, Parts
from daemon.service.reload import Live, Reload
from daemon.service.requests import Requests
from daemon.service.retry import retry_of
from daemon.service.room import Room
from daemon.service.signals import Again
from daemon.service.store_metrics import StoreRoom
from detector.values import iso

_log = structlog.get_logger()


@dataclass(frozen=True)
class Service:
    """The loop, and what is still to be made and said when it has ended."""

    loop: Loop
    evidence: EvidenceChore
    catching_up: CatchingUp
    drift: DriftWatch
    status_file: StatusFile

    def say_stopped(self, *, finished: bool) -> None:
        """Write to the store that this end was wanted, whether all was done, and the state."""
        self.catching_up.finish(time.monotonic())
        self.drift.say()
        self.status_file.stop(finished=finished)


@dataclass(frozen=True)
class _Beside:
    """What goes on beside the sound, and what is told of it."""

    evidence: EvidenceChore
    old_messages: OldMessages
    catching_up: CatchingUp
    room: Room
    drift: DriftWatch
    rates: AlarmRates
    reload: Reload


def assemble(
    stack: ExitStack, config: Config, replay: Replay | None = None, again: Again | None = None
) -> Service:
    """Return a service that is ready to run; `stack` closes it.

    A `replay` shows the drop as if it arrived now; `again` gives another configuration.

    Raises
    ------
    SetupError, NotReadyError
        As `open_ground`.
    """
    ground = open_ground(stack, config)
    ears = open_ears(stack, ground, replay)
    _log.info(
        "ready",
        metrics=ground.page.address,
        model=ground.first.scorer.model,
        model_from=ears.switch.said()["model_from"],
        bus=ground.bus.endpoints,
    )
    beside = _beside(stack, ground, ears, again or Again(lambda: config))
    status_file = _status_file(ground, ears, beside)
    parts = _parts(ground, ears, beside, status_file, replay)
    loop = Loop(config, parts)
    live = Live(
        loop,
        parts.lookout,
        ears.keeper,
        beside.evidence,
        beside.old_messages,
        parts.heart,
        status_file,
    )
    beside.reload.join(live.take)
    return Service(loop, beside.evidence, beside.catching_up, beside.drift, status_file)


def _beside(stack: ExitStack, ground: Ground, ears: Ears, again: Again) -> _Beside:
    config, ledger, metrics, switch = ground.config, ground.ledger, ground.metrics, ears.switch
    evidence = open_evidence(config, ledger, metrics, rate_hz=ground.rate_hz)
    drift = DriftWatch(config.store.path, ledger, metrics, lambda: switch.scorer)
    ears.keeper.tell(drift.take)
    promised = config.detector.false_alarms_per_hour
    return _Beside(
        evidence=stack.enter_context(evidence),
        old_messages=OldMessages(ledger, days=config.store.messages_days),
        catching_up=CatchingUp(ledger.files, metrics, rate_hz=ground.rate_hz),
        room=Room(),
        drift=drift,
        rates=AlarmRates(ledger, metrics, lambda: switch.scorer, promised=promised),
        reload=Reload(config, again, renew=ground.page.renew),
    )


def _status_file(ground: Ground, ears: Ears, beside: _Beside) -> StatusFile:
    config, ledger = ground.config, ground.ledger

    def changing() -> Mapping[str, Any]:
        newest = ledger.newest_scored_us
        return {
            **beside.catching_up.as_json(),
            **ears.switch.said(),
            **beside.reload.said(),
            "store_full": beside.room.full,
            "bus_trouble": ground.bus.trouble,
            "newest_scored": newest and iso(from_us(newest)),
            "context_s": ears.switch.scorer.features.context_s,
            "drift": beside.drift.as_json(),
            "alarms": beside.rates.as_json(),
        }

    return StatusFile(
        config.store.path,
        heartbeat_s=config.bus.heartbeat_s,
        fixed={
            "station": config.station.name,
            "timezone": config.station.timezone,
            "drop": plain(config.drop.path),
            "metrics": ground.page.address,
            "rate_hz": ground.rate_hz,
            "bus": ground.bus.endpoints,
        },
        say=changing,
    )


def _parts(
    ground: Ground, ears: Ears, beside: _Beside, status_file: StatusFile, replay: Replay | None
) -> Parts:
    return Parts(
        drop=ears.drop,
        lookout=_lookout(ground, ears, replay),
        ledger=ground.ledger,
        pipeline=ears.pipeline,
        bus=ground.bus,
        heart=_heart(ground, status_file),
        metrics=ground.metrics,
        catching_up=beside.catching_up,
        room=beside.room,
        replay=replay,
        chores=_chores(ground, ears, beside, status_file),
    )


def _chores(
    ground: Ground, ears: Ears, beside: _Beside, status_file: StatusFile
) -> tuple[Chore, ...]:
    store, metrics = ground.config.store.path, ground.metrics
    reviews = Reviews(store, ground.ledger, ears.keeper.keep)
    return (
        Requests(store, {"review": reviews, "retry": retry_of(ground.ledger)}),
        beside.old_messages,
        beside.evidence,
        beside.catching_up,
        ears.switch,
        beside.reload,
        beside.drift,
        beside.rates,
        status_file,
        StoreRoom(store, metrics),
        RetrainMetrics(store, metrics),
    )


def _lookout(ground: Ground, ears: Ears, replay: Replay | None) -> Lookout:
    drop = ground.config.drop
    if replay:
        arrivals: Arrivals = Replayed(
            replay, settle_s=drop.settle_s, rate_hz=ground.rate_hz, band=drop.band
        )
    else:
        arrivals = Arrivals(settle_s=drop.settle_s, rate_hz=ground.rate_hz, band=drop.band)
    return Lookout(
        ears.drop,
        ears.watch,
        arrivals,
        ground.ledger.files,
        rescan_s=drop.rescan_s,
        settle_s=drop.settle_s,
    )


def _heart(ground: Ground, status_file: StatusFile) -> Heart:
    return Heart(
        ground.bus,
        ground.ledger,
        station=ground.config.station.name,
        heartbeat_s=ground.config.bus.heartbeat_s,
        tell=telling(ground.ledger, status_file.said),
        beaten=ground.metrics.messages.labels("heartbeat").inc,
    )
