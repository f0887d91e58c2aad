"""What is wrong between keys that are each right by themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from daemon.endpoints import is_loopback, is_same, split_listen
from daemon.options import Config


@dataclass(frozen=True, slots=True)
class Conflict:
    """What is wrong with a key beside the `others`."""

    key: str
    says: str
    others: tuple[str, ...]


def conflicts(config: Config) -> Iterator[Conflict]:
    """Yield every conflict between keys."""
    yield from _of_store(config)
    yield from _of_bus(config)
    yield from _of_metrics(config)


def _of_store(config: Config) -> Iterator[Conflict]:
    drop, store = map(os.path.abspath, (config.drop.path, config.store.path))
    if Path(store).is_relative_to(drop):  # by name: a drop that hangs must not hold us
        says = f"found {store} within drop.path, wanted it elsewhere"
        yield Conflict("store.path", says, ("drop.path",))


def _of_bus(config: Config) -> Iterator[Conflict]:
    bus = config.bus
    if bus.credential and not bus.keys:
        says = "found nothing beside bus.credential, wanted the clients' folder"
        yield Conflict("bus.keys", says, ("bus.credential",))
    if is_same(bus.publish, bus.replay):
        says = f"found {bus.replay}, which is bus.publish as well, {bus.publish}"
        yield Conflict("bus.replay", says, ("bus.publish",))


def _of_metrics(config: Config) -> Iterator[Conflict]:
    bus, metrics = config.bus, config.metrics
    pair = {"metrics.certificate": metrics.certificate, "metrics.key": metrics.key}
    for (lone, _), (other, there) in permutations(pair.items()):
        if pair[lone] is None and there is not None:
            yield Conflict(lone, f"found nothing beside {other}, wanted both or neither", (other,))
    guarded = metrics.certificate and metrics.password
    if not (is_loopback(split_listen(metrics.listen)[0]) or guarded or metrics.open):
        says = (
            f"found {metrics.listen}, wanted 127.0.0.1:PORT, or metrics.certificate, key and "
            "password, or metrics.open = true"
        )
        guards = ("metrics.certificate", "metrics.password", "metrics.open")
        yield Conflict("metrics.listen", says, guards)
    for key, endpoint in (("bus.publish", bus.publish), ("bus.replay", bus.replay)):
        if is_same(metrics.listen, endpoint):
            says = f"found {metrics.listen}, which {key} has as well, {endpoint}"
            yield Conflict("metrics.listen", says, (key,))
