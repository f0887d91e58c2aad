"""What scores are worth at sea → markdown and plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from benchmarks.evaluation.sea import Row, auc_of
from detector.evaluation.curves import Measured
from detector.evaluation.measures import BY_CHANCE, Group, Measures, Share

_UNTOLD: Final = ("name", "reads")

MINUTES: Final = """\
Windows on labelled calls against windows of labelled background, on the eight real minutes of
2016-02-18 (labelled by eye, decoded from MP3). The network was fitted to simulated sound alone,
and nothing was fitted, chosen or stopped on these minutes; but they were looked at while the
features were made. Of each baseline, the settings are those of task D. Target: AUC over .97, and no
worse than the best baseline."""

CLIPS: Final = """\
Calls of five SNRs in the call's own band, mixed in as `kilokai evaluate` does, from the Watkins
Marine Mammal Sound Database. Shown: % of the calls found at one false alarm an hour of simulated
typical sound (11 h, each score by its own threshold), with 95 % intervals. Of each baseline the
settings are shown that find most here, which favours the baselines. Target: more than every
baseline at every SNR. Seed 1."""


def page(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the sections of tasks C and D."""
    yield from ("", "## C, eight real minutes", "", MINUTES, "")
    yield "| score | AUC | 95 % interval | pAUC (p = 0.1) | average precision |"
    yield "|---|---|---|---|---|"
    for row in rows:
        yield "| " + " | ".join(_minutes(row)) + " |"
    for title, source in (("simulated sea", "simulated"), ("the background of C", "mixed")):
        measured = [(row, _of(row, source)) for row in rows]
        yield from ("", f"## D, real calls in {title}", "", CLIPS, "")
        yield from _clips(measured)


def figures(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return all figures as plain values."""
    return [
        {"score": row.name, "settings": dict(row.settings)}
        | {source: _plain(_of(row, source)) for source in ("minutes", "simulated", "mixed")}
        for row in rows
    ]


def _of(row: Row, source: str) -> Measures:
    measures: Measures = getattr(row, source)
    return measures


def _minutes(row: Row) -> Iterator[str]:
    group = row.minutes.groups[0]
    yield _named(row)
    yield _area(group.auc)
    yield _interval(group.auc)
    yield _area(group.partial_auc)
    yield _area(group.average_precision)


def _clips(measured: Sequence[tuple[Row, Measures]]) -> Iterator[str]:
    snrs = [group.name for group in measured[0][1].groups if group.name.endswith(" dB")]
    columns = ["all", *snrs, BY_CHANCE]
    yield "| score | AUC | " + " | ".join(columns) + " |"
    yield "|---|---|" + "---|" * len(columns)
    for row, measures in measured:
        groups = {group.name: group for group in measures.groups}
        cells = [_named(row), _figure(auc_of(measures))]
        cells += [_share(groups.get(name)) for name in columns]
        yield "| " + " | ".join(cells) + " |"


def _share(group: Group | None) -> str:
    share = group.found[0] if group else None
    if share is None:
        return "–"
    return f"{100 * share.value:.0f} ({100 * share.low:.0f}–{100 * share.high:.0f})"


def _plain(measures: Measures) -> dict[str, Any]:
    return {
        group.name: {
            "calls": group.calls,
            "auc": group.auc and group.auc.value,
            "partial_auc": group.partial_auc and group.partial_auc.value,
            "average_precision": group.average_precision and group.average_precision.value,
            "found_at_1_and_10_per_hour": [_plain_share(share) for share in group.found],
        }
        for group in measures.groups
    }


def _plain_share(share: Share | None) -> dict[str, float] | None:
    if share is None:
        return None
    return {"found": share.found, "of": share.of, "low": share.low, "high": share.high}


def _named(row: Row) -> str:
    chosen = ", ".join(f"{k} {v}" for k, v in row.settings.items() if k not in _UNTOLD)
    return f"{row.name} ({chosen})" if chosen else row.name


def _area(area: Measured | None) -> str:
    return _figure(area.value) if area else "–"


def _interval(area: Measured | None) -> str:
    if area is None or area.low is None or area.high is None:
        return "–"
    return f"{_figure(area.low)}–{_figure(area.high)}"


def _figure(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
