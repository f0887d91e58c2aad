"""A histogram with buckets on both sides of 0, as scores less their threshold want it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class SignedHistogram(Collector):
    """A histogram of values of both signs: its buckets alone, neither a sum nor a count.

    prometheus-client's own leaves out the sum, but not the count, and then OpenMetrics's
    readers refuse the page.  Source: OpenMetrics 1.0, "Histogram": with negative buckets
    there is no sum, as it may fall, and count and sum come together.
    """

    def __init__(
        self, name: str, words: str, *, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._words = name, words
        self._buckets = buckets
        self._counts = [0] * (len(buckets) + 1)
        registry.register(self)

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._buckets, value)] += 1

    def collect(self) -> Iterable[Metric]:
        """Yield the buckets as they are now."""
        ends = [*(str(float(bucket)) for bucket in self._buckets), "+Inf"]
        counts = zip(ends, map(float, accumulate(self._counts)), strict=True)
        yield HistogramMetricFamily(self._name, self._words, buckets=list(counts), sum_value=None)

    def describe(self) -> Iterable[Metric]:
        """Yield the metric without values."""
        yield HistogramMetricFamily(self._name, self._words)
