"""A registry in which what cannot be collected costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.registry import Collector

_log = structlog.get_logger()


class Registry(CollectorRegistry):
    """As prometheus-client's own, where one that raises takes the whole page with it."""

    def __init__(self) -> None:
        super().__init__()
        self._failures: Counter | None = None
        self._failures = Counter(
            "kilokai_collect_failures", "Metrics that a scrape went without", registry=self
        )

    def register(self, collector: Collector) -> None:
        """Add a collector that may raise."""
        super().register(_Careful(collector, self._failed))

    def _failed(self) -> None:
        if self._failures:
            self._failures.inc()


class _Careful:
    """A collector that gives nothing where the one within raises."""

    def __init__(self, collector: Collector, failed: Callable[[], object]) -> None:
        self._collector = collector
        self._failed = failed
        self._told = False

    def describe(self) -> Iterable[Metric]:
        """Return what it will give, without values."""
        describe: Callable[[], Iterable[Metric]] = getattr(self._collector, "describe", tuple)
        return describe()

    def collect(self) -> Sequence[Metric]:
        """Return the values, or nothing."""
        try:
            return list(self._collector.collect())
        except Exception as error:  # a bug, but none of the work's: told once, and counted
            self._failed()
            if not self._told:
                self._told = True
                _log.error("metrics left out of a scrape", reason=repr(error))
            return ()
