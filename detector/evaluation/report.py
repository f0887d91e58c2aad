"""Measures → plain values for JSON, a table of 80 columns, and Markdown."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Final

from detector.evaluation.by_event import Caught, EventMeasures
from detector.evaluation.curves import Measured
from detector.evaluation.levels import Level
from detector.evaluation.measures import ALL, Group, Measures, Share

_WIDTH: Final = 80
_NAME: Final = 17
_AREAS: Final = (
    ("ROC-AUC", "auc"),
    ("partial AUC (p = 0.1)", "partial_auc"),
    ("average precision", "average_precision"),
)


@dataclass(frozen=True, eq=False)
class Source:
    """What one source of sound says; `about` is what it was, `remarks` what to know of it."""

    name: str
    about: str
    measures: Measures
    events: EventMeasures | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that is told: the model, how it was evaluated, and each source."""

    model: Mapping[str, Any]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    sources: tuple[Source, ...]
    remarks: tuple[str, ...] = ()


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return plain values, without a number that JSON does not have."""
    return {
        "model": _plain(evaluation.model),
        "settings": _plain(evaluation.settings),
        "versions": _plain(evaluation.versions),
        "remarks": list(evaluation.remarks),
        "sources": {source.name: _source(source) for source in evaluation.sources},
    }


def terminal(evaluation: Evaluation) -> str:
    """Return what a person reads first, in lines of at most 80 columns."""
    lines = [f"model {evaluation.model['id']}, seed {evaluation.settings['seed']}"]
    known: dict[tuple[str, ...], str] = {}
    for source in evaluation.sources:
        lines += ["", *_wrapped(f"{source.name}: {source.about}")]
        lines += [f"  {line}" for line in _area_lines(source.measures)]
        lines += _table(source)
        at = tuple(_level_lines(source.measures.levels))
        told = at if at not in known else (f"thresholds: as those of {known[at]}",)
        known.setdefault(at, source.name)
        for line in (*told, *_event_lines(source.events), *source.remarks):
            lines += _wrapped(line, indent="  ")
    for remark in evaluation.remarks:
        lines += ["", *_wrapped(remark)]
    return "\n".join(lines)


def markdown(evaluation: Evaluation) -> str:
    """Return the whole report, every area and interval in it."""
    model, lines = evaluation.model, [f"# Evaluation of {evaluation.model['id']}", ""]
    lines += [f"SHA-256 `{model['sha256']}`, threshold {_number(model['threshold'])}.", ""]
    settings = ", ".join(f"{name} {value}" for name, value in evaluation.settings.items())
    lines += [f"Settings: {settings}.", ""]
    lines += [f"Versions: {', '.join(f'{k} {v}' for k, v in evaluation.versions.items())}.", ""]
    for source in evaluation.sources:
        lines += [f"## {source.name[0].upper()}{source.name[1:]}", "", f"{source.about}.", ""]
        lines += [*_markdown_table(source), ""]
        told = (*_level_lines(source.measures.levels), *_event_lines(source.events))
        lines += [f"- {line}" for line in (*told, *source.remarks)]
        lines.append("")
    lines += [f"{remark}\n" for remark in (*evaluation.remarks, _HOW)]
    return "\n".join(lines)


_HOW: Final = (
    "A call is found if the highest score of the windows that overlap it reaches the "
    "threshold; by an event, if one overlaps it in time and in band (or in time alone). For "
    "the areas a window is atypical that shares half of itself, or of the call, with a call. "
    "Intervals hold the true value with 95 % (–: too few blocks to tell one). Those of areas "
    "are bootstraps over whole blocks: a call, a visit or a clip, and a minute of the rest. "
    "Those of shares reach as far as Wilson's and as that bootstrap, the threshold drawn again "
    "with it; those of events are Wilson's, which takes calls as independent."
)


def _source(source: Source) -> dict[str, Any]:
    measures = source.measures
    return {
        "about": source.about,
        "hours": measures.hours,
        "typical_windows": measures.typical_windows,
        "typical_blocks": measures.typical_blocks,
        "calls_not_scored": measures.calls_not_scored,
        "thresholds": [_level(level) for level in measures.levels],
        "groups": [_group(group, measures.levels) for group in measures.groups],
        "events": _plain(source.events),
        "remarks": list(source.remarks),
    }


def _level(level: Level) -> dict[str, Any]:
    names = ("rate_per_hour", "threshold", "why", "alarms", "hours")
    return {name: _plain(getattr(level, name)) for name in names}


def _group(group: Group, levels: Sequence[Level]) -> dict[str, Any]:
    shares = zip(levels, group.found, strict=True)
    found = {f"{level.rate_per_hour:g}": _plain(share) for level, share in shares}
    return {**_plain(group), "found": found}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _table(source: Source) -> Iterator[str]:
    """Yield the calls found, a line for each group."""
    measures, caught = source.measures, _caught(source.events)
    yield f"  {'':{_NAME}}     found (%), at false alarms an hour of    by an event, in"
    rates = "".join(f"{level.rate_per_hour:>13g}" for level in measures.levels)
    yield f"  {'calls':{_NAME}} {'n':>4}{rates}  time+band  time"
    for group in measures.groups:
        shares = "".join(f"{_share(share):>13}" for share in group.found)
        name = group.name if len(group.name) <= _NAME else f"{group.name[: _NAME - 1]}…"
        one = caught.get(group.name)
        found, noticed = (one.found.found, one.noticed.found) if one else ("–", "–")
        yield f"  {name:{_NAME}} {group.calls:>4}{shares}  {found:>9}  {noticed:>4}"


def _markdown_table(source: Source) -> Iterator[str]:
    measures, caught = source.measures, _caught(source.events)
    heads = ["calls", "n", "blocks", *(head for head, _ in _AREAS)]
    heads += [f"% found at {level.rate_per_hour:g}/h" for level in measures.levels]
    heads += ["% by an event in time and band", "% in time"]
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for group in measures.groups:
        one = caught.get(group.name)
        cells = [group.name, str(group.calls), str(group.blocks)]
        cells += [_area(getattr(group, name)) for _, name in _AREAS]
        cells += [_share(share) for share in group.found]
        cells += [_share(one.found), _share(one.noticed)] if one else ["–", "–"]
        yield f"| {' | '.join(cells)} |"


def _area_lines(measures: Measures) -> Iterator[str]:
    every = next(group for group in measures.groups if group.name == ALL)
    told = [(head, getattr(every, name)) for head, name in _AREAS]
    if every.auc is None:
        yield "no areas: found no windows where nothing sounds"
        return
    yield f"{every.windows} windows on calls, {measures.typical_windows} typical"
    for head, area in told:
        yield f"{head:{_NAME + 5}} {_area(area)}"


def _level_lines(levels: Sequence[Level]) -> Iterator[str]:
    for level in levels:
        rate = f"{level.rate_per_hour:g} an hour"
        if level.threshold is None:
            yield f"{rate}: cannot be told: {level.why}"
        elif level.hours is None:
            yield f"{rate}: threshold {_number(level.threshold)}, the model's own"
        else:
            heard = f"{level.alarms} alarms in {level.hours:.1f} h without calls"
            yield f"{rate}: threshold {_number(level.threshold)}, {heard}"


def _event_lines(events: EventMeasures | None) -> Iterator[str]:
    if events is None:
        return
    untold = f", {events.untold} where nobody said what sounds" if events.untold else ""
    told = f"{events.hits} on calls, {events.other} on ships or gear"
    if events.false is not None:
        rate = events.false
        interval = f"{rate.per_hour:.1f} an hour, {rate.low:.1f}–{rate.high:.1f}"
        told += f", {rate.count} on nothing in {rate.hours:.2f} h ({interval})"
    yield f"events at a threshold of {_number(events.threshold)}: {told}{untold}"


def _caught(events: EventMeasures | None) -> dict[str, Caught]:
    return {caught.name: caught for caught in events.groups} if events else {}


def _share(share: Share | None) -> str:
    if share is None:
        return "–"
    low, high = (f"{100 * value:.0f}" for value in (share.low, share.high))
    return f"{100 * share.value:.0f} ({low}–{high})"


def _area(area: Measured | None) -> str:
    if area is None:
        return "–"
    if area.low is None or area.high is None:
        return f"{area.value:.3f} (–)"
    return f"{area.value:.3f} ({area.low:.3f}–{area.high:.3f})"


def _number(value: float) -> str:
    return f"{value:.3g}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
