"""The daemon's chore of models, with models of the real kind, driven by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from daemon.config import Config
from daemon.hearing.ears import Listen
from daemon.models.loading import Loading
from daemon.models.registry import Registry
from daemon.models.switching import ModelSwitch, switch_draft
from detector import load_model
from detector.scoring.listen import Listener
from detector.scoring.score import Scorer
from tests.daemon.bench import Bench, bench_on
from tests.daemon.conftest import until
from tests.daemon.models.made import registry_of


def listen_by(scorer: Any) -> Listen:
    def listen(state: Mapping[str, Any]) -> Listener:
        return Listener(scorer, station="aco", state=state)

    return listen


class Chore:
    """A switch that is driven by hand, on a registry of two models."""

    def __init__(self, bench: Bench, config: Config, registry: Registry, ids: list[str]) -> None:
        self.bench, self.registry, self.ids = bench, registry, ids
        self.loading = Loading(config, registry, lambda: load_model(config.detector.model))
        first, self.loads = self.loading.first(), 0
        draft = switch_draft(first.scorer, previous=None, by="configuration", reason="")
        self.switch = ModelSwitch(
            first,
            self.loading,
            pipeline=bench.pipeline,
            metrics=bench.metrics,
            listen=listen_by,
        )
        bench.pipeline.switch(listen_by(first.scorer), draft, model=first.scorer.model)
        self._now_s = 0.0
        self.loading.load = self._counting(self.loading.load)  # type: ignore[method-assign, assignment]

    def _counting(self, load: Callable[[str | None], Scorer]) -> Callable[[str | None], Scorer]:
        def counted(model: str | None) -> Scorer:
            self.loads += 1
            return load(model)

        return counted

    @property
    def model(self) -> str:
        return self.switch.scorer.model

    def look(self, fact: Callable[[], object]) -> None:
        """Do what is due again and again until a fact holds."""

        def done() -> object:
            self.pass_by()
            return fact()

        until(done)

    def pass_by(self, times: int = 1) -> None:
        for _ in range(times):
            self._now_s += 10
            self.switch.do(self._now_s)

    def counted(self, reason: str) -> float | None:
        name = "kilokai_model_load_failures_total"
        return self.bench.metrics.registry.get_sample_value(name, {"reason": reason})

    def said(self) -> list[dict[str, Any]]:
        """Return the data of every message that another model scores."""
        sent = [json.loads(message.text) for message in self.bench.sent]
        return [one["data"] for one in sent if one["type"] == "kilokai.v1.model"]


@contextmanager
def chore_on(config: Config, champion: int | None = None) -> Iterator[Chore]:
    registry, ids = registry_of(config.store.path, "a", "b")
    if champion is not None:
        registry.promote(ids[champion])
    with bench_on(config.drop.path, config.store.path) as bench:
        yield Chore(bench, config, registry, ids)
