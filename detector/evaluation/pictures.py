"""Pictures of an evaluation: ROC curves, and scores over time with what sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from acoio.clock import from_us
from acoio.picture import mark_utc, save
from detector.evaluation.levels import Level
from detector.evaluation.measures import Measures
from detector.evaluation.values import Scored

_Floats: TypeAlias = NDArray[np.float64]

_LEAST_FALSE: Final = 1e-4
_ROW_S: Final = (240.0, 1080.0)  # a row at best, and at most
_MOST_ROWS: Final = 5
_COLOURS: Final = {"call": "tab:green", "ship": "silver", "gear": "tab:orange", "quiet": "azure"}
_WORDS: Final = {"call": "call", "ship": "ship", "gear": "gear", "quiet": "background, as labelled"}
_LINES: Final = ("tab:purple", "tab:red", "tab:brown")


@dataclass(frozen=True, eq=False)
class Shown:
    """A line of the ROC picture: a source's measures, and its rates and thresholds, 2 x (m,)."""

    measures: Measures
    alarms: tuple[_Floats, _Floats] | None


def draw_roc(path: Path, sources: Mapping[str, Shown]) -> Path:
    """Draw windows by ROC, and calls found by false alarms an hour; a line for each source."""
    figure = Figure(figsize=(12, 5.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    chance = np.geomspace(_LEAST_FALSE, 1, 100)
    left.plot(chance, chance, color="0.6", linestyle=":", label="chance")
    for k, (name, shown) in enumerate(sources.items()):
        if shown.measures.roc is not None:
            roc, told = shown.measures.roc, shown.measures.roc.false > 0
            label = f"{name}, AUC {roc.auc():.3f}"
            left.step(roc.false[told], roc.found[told], f"C{k}", where="post", label=label)
        if shown.alarms is not None and len(shown.alarms[0]):
            rates, thresholds = shown.alarms
            found = [float(np.mean(shown.measures.peaks >= level)) for level in thresholds]
            right.plot(rates, found, f"C{k}", marker=".", label=name)
    left.set_xscale("log")
    left.set_xlim(_LEAST_FALSE, 1)
    left.set(xlabel="typical windows that reach the score (share)", title="Windows: ROC")
    left.set_ylabel("windows on calls that reach it (share)")
    right.set_xscale("log")
    right.set_xlim(0.1, 60)
    right.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    right.set(xlabel="false alarms per hour of sound without calls", title="Calls")
    right.set_ylabel("calls found (share)")
    for axes in (left, right):
        axes.set_ylim(0, 1.02)
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[1]:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, frameon=False)
    if not right.lines:
        right.text(0.5, 0.5, "no sound without calls\nto tell a rate by", ha="center",
                   transform=right.transAxes, color="0.4")  # fmt: skip
    return save(figure, path)


def draw_scores(path: Path, scored: Scored, levels: Sequence[Level], title: str) -> Path:
    """Draw an hour or less of scores over time, what sounds shaded, thresholds as lines."""
    begin, end = from_us(int(scored.begins_us[0])), from_us(int(scored.ends_us[-1]))
    rows = min(max(round((end - begin).total_seconds() / _ROW_S[0]), 1), _MOST_ROWS)
    length = min((end - begin) / rows, timedelta(seconds=_ROW_S[1]))
    if rows * length < end - begin:
        title += f", the first {rows * length.total_seconds() / 60:.0f} minutes"
    figure = Figure(figsize=(13, 1.0 + 2.1 * rows), layout="constrained")
    panels = figure.subplots(rows, 1, squeeze=False, sharey=True)[:, 0]
    for k, axes in enumerate(panels):
        _row(axes, scored, levels, (begin + k * length, begin + (k + 1) * length))
        axes.set_xlabel("" if k + 1 < rows else axes.get_xlabel())
    panels[0].set_title(title, loc="left")
    handles = [*panels[0].get_legend_handles_labels()[0], *_patches(scored)]
    panels[0].legend(
        handles=handles, ncols=len(handles), loc="lower right", bbox_to_anchor=(1, 1),
        frameon=False, borderaxespad=0.2,
    )  # fmt: skip
    return save(figure, path)


def _row(
    axes: Axes, scored: Scored, levels: Sequence[Level], span: tuple[datetime, datetime]
) -> None:
    axes.set_yscale("symlog", linthresh=10)
    axes.axhline(0, color="0.85", linewidth=0.6)
    for kind, begin, end in _spans(scored):
        if begin < span[1] and end > span[0]:
            low, high = max(begin, span[0]), min(end, span[1])
            alpha, line, layer = (0.8, 0, 0) if kind == "quiet" else (0.35, 1, 1)
            axes.axvspan(
                mdates.date2num(low), mdates.date2num(high), color=_COLOURS[kind],
                alpha=alpha, linewidth=line, zorder=layer,
            )  # fmt: skip
    for stretch in scored.stretches(step_s=1.0):
        middle = stretch.begins_s + scored.window_s / 2
        times = mdates.date2num([from_us(round(second * 1e6)) for second in middle])
        axes.plot(times, stretch.scores, color="tab:blue", linewidth=0.9)
    told = [level for level in levels if level.threshold is not None]
    for level, colour in zip(told, _LINES, strict=False):
        label = f"threshold for {level.rate_per_hour:g} an hour"
        axes.axhline(level.threshold or 0, color=colour, linewidth=0.8, linestyle="--", label=label)
    axes.set_ylabel("score (nats)")
    axes.margins(y=0.1)
    axes.set_xlim(mdates.date2num(span[0]), mdates.date2num(span[1]))
    mark_utc(axes, span[0])


def _spans(scored: Scored) -> list[tuple[str, datetime, datetime]]:
    piece = scored.piece
    calls = [call.truth for call in piece.calls if not call.nothing]
    spans = [("quiet", *span) for span in piece.quiet] if calls else []
    return spans + [(t.kind, t.begin, t.end) for t in (*calls, *piece.others)]


def _patches(scored: Scored) -> list[Patch]:
    first, last = from_us(int(scored.begins_us[0])), from_us(int(scored.ends_us[-1]))
    kinds = {kind for kind, begin, end in _spans(scored) if begin < last and end > first}
    return [
        Patch(facecolor=_COLOURS[kind], edgecolor="0.7", alpha=0.6, label=_WORDS[kind])
        for kind in _COLOURS
        if kind in kinds
    ]
