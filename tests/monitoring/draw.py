"""Draw the dashboard from its own queries, as no Grafana is at hand: make dashboard."""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator
from numpy.typing import NDArray

from monitoring.dashboard import dashboard
from monitoring.panels import Panel
from monitoring.rows import ROWS
from tests.daemon.conftest import until
from tests.monitoring.live import Live, live_station, recent_sea
from tests.monitoring.prometheus import Prometheus, Series

_MINUTES: Final = 24
_EVERY_S: Final = 5.0  # a file of a minute
_STEP_S: Final = 1.0
_UNIT_IN: Final = 0.34  # a row of Grafana's grid, and two thirds of a column
_PAPER: Final = {"green": "#56a64b", "yellow": "#f2cc0c", "orange": "#ff9830", "red": "#e02f44"}
_SIZES: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))
_BYTES: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


Line = NDArray[np.float64]


def shown(value: float, unit: str) -> str:
    """Return a value as a panel of that unit shows it."""
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    for size, name in {"s": _SIZES, "bytes": _BYTES}.get(unit, ()):
        if abs(value) >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:.3g}"


def _tick(highest: float, unit: str) -> float:
    """Return a distance of ticks that gives some five of them, round in its unit."""
    rough = highest / 5
    if unit == "s" and rough > 1:
        steps = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
        return next((step for step in steps if step >= rough), 86_400.0)
    decade = 10.0 ** math.floor(math.log10(rough))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= rough)


def draw(prometheus: Prometheus, begin_s: float, path: Path) -> None:
    """Write the picture of what was so since a time (s since 1970)."""
    placed = dashboard()["panels"]
    panels = iter(panel for row in ROWS for panel in row.panels)
    rows = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in placed)
    mpl.rcParams.update({"font.size": 7, "axes.spines.top": False, "axes.spines.right": False})
    figure = Figure(figsize=(24 * _UNIT_IN * 1.5, rows * _UNIT_IN), facecolor="#f4f5f5")
    for each in placed:
        place = each["gridPos"]
        if each["type"] == "row":
            y = 1 - (place["y"] + 0.75) / rows
            figure.text(0.008, y, each["title"], fontsize=10, fontweight="bold")
            continue
        inset = (0.9, 0.65) if each["type"] == "stat" else (1.5, 2.3)
        left, low = (place["x"] + inset[0] * 0.7) / 24, 1 - (place["y"] + place["h"]) / rows
        box = (
            left, low + inset[1] * 0.75 / rows,
            (place["w"] - inset[0]) / 24, (place["h"] - inset[1] - 0.3) / rows,
        )  # fmt: skip
        _draw_panel(figure.add_axes(box), next(panels), prometheus, begin_s)
    figure.savefig(path, dpi=110)


def _draw_panel(axes: Axes, panel: Panel, prometheus: Prometheus, begin_s: float) -> None:
    axes.set_title(panel.title, loc="left", fontsize=8, fontweight="bold")
    if panel.kind == "stat":
        _draw_stat(axes, panel, prometheus.ask(panel.queries[0].expr))
        return
    named = [
        (_legend(query.legend, series.labels), _even(series, begin_s))
        for query in panel.queries
        for series in prometheus.ask_since(query.expr, begin_s, step_s=_STEP_S)
    ]
    if not named:
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, panel.empty, ha="center", transform=axes.transAxes, color="#8e8e8e")
        return
    _draw_lines(axes, panel, named)
    _draw_scales(axes, panel)
    axes.set_xlim(0.0, time.time() - begin_s)


def _even(series: Series, begin_s: float) -> Line:
    """Return the values at every step since a time, NaN where there is none."""
    steps = round((time.time() - begin_s) / _STEP_S) + 1
    line = np.full(steps, np.nan)
    for at_s, value in series.points:
        line[min(round((at_s - begin_s) / _STEP_S), steps - 1)] = value
    return line


def _draw_stat(axes: Axes, panel: Panel, found: list[Series]) -> None:
    axes.set_axis_off()
    text, colour = panel.empty, "#8e8e8e"
    if found:
        value = found[0].points[-1][1]
        words = dict(panel.words)
        text = words.get(value, shown(value, panel.unit))
        if panel.shown == "name":
            text = _legend(panel.queries[0].legend, found[0].labels)
        colour = _PAPER[[name for at, name in panel.steps if value >= at][-1]]
    axes.add_patch(mpl.patches.Rectangle((0, 0), 1, 1, color=colour, transform=axes.transAxes))
    size = 17 if len(text) < 8 else 12 if len(text) < 13 else 7
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=size, color="white", weight="bold")


def _draw_lines(axes: Axes, panel: Panel, named: list[tuple[str, Line]]) -> None:
    length = min(len(line) for _, line in named)
    seconds = _STEP_S * np.arange(length)
    if panel.stacked:
        stack = [np.nan_to_num(line[:length]) for _, line in named]
        axes.stackplot(seconds, stack, labels=[name for name, _ in named], alpha=0.8)
    else:
        for name, line in named:
            axes.plot(seconds, line[:length], label=name, linewidth=1.2)
    for limit, name in panel.steps[1:]:
        axes.axhline(limit, color=_PAPER[name], linestyle="--", linewidth=0.8)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=4, frameon=False)


def _draw_scales(axes: Axes, panel: Panel) -> None:
    if panel.log:
        axes.set_yscale("log")
    else:
        if not panel.signed:
            axes.set_ylim(0.0, max(axes.get_ylim()[1], 1e-3))
        axes.yaxis.set_major_locator(MultipleLocator(_tick(axes.get_ylim()[1], panel.unit)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown(value, panel.unit)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} s"))
    axes.grid(alpha=0.3)


def _legend(legend: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        legend = legend.replace(f"{{{{{name}}}}}", value)
    return legend


def _let_hear(live: Live, folder: Path) -> None:
    """Let files arrive one after the other, one of them never and one of them damaged."""
    for k, (name, data) in enumerate(recent_sea(folder, minutes=_MINUTES).cut(1)):
        time.sleep(_EVERY_S)
        if k != _MINUTES // 2:
            live.put(name, data if k != 15 else data[:60_000] + bytes(40_000) + data[100_000:])


def main(path: Path) -> None:
    """Watch a station for two minutes and draw what the dashboard shows of it."""
    with tempfile.TemporaryDirectory() as name, live_station(Path(name)) as live:
        begin_s = time.time()
        _let_hear(live, Path(name) / "sea")
        until(lambda: live.prometheus.ask("kilokai_backlog_files == 0"), deadline_s=60)
        time.sleep(_EVERY_S)
        draw(live.prometheus, begin_s, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
