"""Results → markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any, Final

from benchmarks.evaluation.compare import Measured, Result
from benchmarks.evaluation.task import Settings
from detector.calibration.intervals import Estimate

_HEAD: Final = (
    "| score | best settings | AUC | 95 % interval | pAUC (p = 0.1) | 95 % interval | target "
    "| seeds | s |"
)
_RULE: Final = "|---|---|---|---|---|---|---|---|---|"
_UNTOLD: Final = ("name",)
_TRAINED: Final = "phase1_steps"  # a setting that networks trained in phases have


def table(results: Sequence[Result]) -> Iterator[str]:
    """Yield the lines of a table, a row for each contestant."""
    yield _HEAD
    yield _RULE
    for result in results:
        yield "| " + " | ".join(_cells(result)) + " |"


def spread(values: Sequence[float]) -> str:
    """Return the mean of values over seeds, with the least and the most."""
    mean = _figure(fmean(values))
    if len(values) == 1:
        return mean
    return f"{mean} ({_figure(min(values))}–{_figure(max(values))})"


def interval(estimates: Sequence[Estimate]) -> str:
    """Return the mean of the intervals' bounds: that of one seed's test, as it usually is."""
    low, high = fmean(e.low for e in estimates), fmean(e.high for e in estimates)
    return f"{_figure(low)}–{_figure(high)}"


def verdict(result: Result) -> str:
    """Return the target, and whether the means reach it."""
    wanted = [
        (value, fmean(pick(m).value for m in result.seeds))
        for value, pick in ((result.target.auc, _auc), (result.target.pauc, _pauc))
        if value is not None
    ]
    if not wanted:
        return ""
    reached = all(found >= value for value, found in wanted)
    figures = " / ".join(_figure(value) for value, _ in wanted)
    return f"{figures}, {'reached' if reached else '**not reached**'}"


def plain(settings: Settings) -> str:
    """Return settings as short text, or nothing where gumiho's say too much for a table."""
    if _TRAINED in settings:
        return "below"
    return _listed(settings)


def trainings(results: Sequence[Result]) -> Iterator[str]:
    """Yield a line with all settings of each contestant that was trained in phases."""
    for result in results:
        if _TRAINED in result.settings:
            yield f"- {result.name}: {_listed(result.settings)}."


def _listed(settings: Settings) -> str:
    return ", ".join(f"{name} {_value(x)}" for name, x in settings.items() if name not in _UNTOLD)


def _cells(result: Result) -> Iterator[str]:
    yield result.name
    yield plain(result.settings)
    for pick in (_auc, _pauc):
        found = [pick(m) for m in result.seeds]
        yield spread([e.value for e in found])
        yield interval(found)
    yield verdict(result)
    yield str(len(result.seeds))
    yield f"{fmean(m.seconds for m in result.seeds):.0f}"


def _auc(measured: Measured) -> Estimate:
    return measured.auc


def _pauc(measured: Measured) -> Estimate:
    return measured.pauc


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
