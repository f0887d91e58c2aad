"""What a panel of the dashboard is: for its JSON, its tests and its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Colour = Literal["green", "yellow", "orange", "red"]
Steps = tuple[tuple[float, Colour], ...]
_HERE: Final = 'instance=~"$instance"'
_WELL: Final[Steps] = ((float("-inf"), "green"),)


@dataclass(frozen=True)
class Query:
    """A question to Prometheus, and the name of a line of its answer."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One panel: `steps` are the colours from a value on, `empty` is shown where there is none.

    `at_once` says that an answer is there from the first scrape, before any sound.
    """

    title: str
    about: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Literal["stat", "timeseries"] = "timeseries"
    shown: Literal["value", "name"] = "value"
    stacked: bool = False
    width: int = 8
    height: int = 7
    steps: Steps = _WELL
    words: tuple[tuple[float, str], ...] = ()
    empty: str = "none yet"
    at_once: bool = True
    log: bool = False
    signed: bool = False


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


def of(name: str, *labels: str) -> str:
    """Return the series of a metric at the station that is chosen."""
    return f"{name}{{{', '.join((_HERE, *labels))}}}"


def rate(name: str, *labels: str) -> str:
    """Return how fast a counter rises, per second."""
    return f"rate({of(name, *labels)}[$__rate_interval])"


def hourly(name: str, *labels: str) -> str:
    """Return by how much a counter rose within an hour."""
    return f"increase({of(name, *labels)}[1h])"


def quantile(share: float, name: str, by: str = "") -> str:
    """Return a quantile of a histogram; nothing, not NaN, where nothing was counted."""
    inner = f"sum by ({f'{by}, ' if by else ''}le) ({rate(f'{name}_bucket')})"
    return f"histogram_quantile({share}, {inner}) > -Inf"


def age(time: str) -> str:
    """Return how long ago a time is (s)."""
    return f"time() - ({time})"
