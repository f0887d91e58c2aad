"""What there is to know of a model, as a person compares it (pure)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from acoio.errors import SetupError
from daemon.errors import plain
from daemon.models.entry import Entry
from daemon.models.history import Switch

HEADING: Final = "  id                             registered (UTC)   threshold  hours  verdict"
_COLUMNS: Final = 80
_NAME: Final = 28
_WHOLE_NAME: Final = 36  # where one model is told alone
_CELL: Final = 26
_ID: Final = 30
_TAIL: Final = 18  # -YYYYMMDD-HASH8
_TABLE: Final = 2  # names over a flat table: it is told in a row
_TOLD: Final = ("data", "training", "evaluation", "drift", "versions")
_DAMAGED: Final = (LookupError, TypeError, ValueError, OverflowError)  # a card that is no card
_Json = Mapping[str, Any]
_Cell = tuple[str, int]


def facts(entry: Entry, per_hour: float) -> dict[str, Any]:
    """Return all of a model as JSON values; `threshold` is that for a rate of false alarms."""
    card, judged = entry.card, entry.verdict
    said = card.get("calibration")
    calibration = said if isinstance(said, dict) else {}
    return {
        "id": entry.id,
        "folder": plain(entry.folder),
        "champion": entry.champion,
        "fault": entry.fault,
        "description": card.get("description", ""),
        "method": card.get("method", ""),
        "rate_hz": entry.rate_hz,
        "threshold": _threshold(calibration, per_hour),
        "false_alarms_per_hour": per_hour,
        "calibration": {
            **{name: calibration.get(name) for name in ("hours", "release", "apart")},
            "thresholds": _thresholds(calibration),
        },
        **{name: card[name] for name in _TOLD if name in card},
        "verdict": judged.as_json() if judged else None,
    }


def _threshold(calibration: dict[str, Any], per_hour: float) -> float | None:
    from detector.calibration.calibrate import (
        Calibration,  # half a second that no other command wants
    )

    try:
        return Calibration.from_json(calibration).threshold(per_hour)
    except (SetupError, *_DAMAGED):
        return None


def _thresholds(calibration: _Json) -> dict[str, Any]:
    try:
        points = calibration["points"]
        return {f"{p['false_alarms_per_hour']:g}": p["threshold"] for p in points}
    except _DAMAGED:
        return {}


def model_line(found: _Json) -> str:
    """Return a model in a line of at most 80 columns; `*` marks the champion."""
    judged, hours = found["verdict"], found["calibration"]["hours"]
    decided = judged["decided"][:16].replace("T", " ") if judged else "-"
    return plain(
        f"{'*' if found['champion'] else ' '} {_short(found['id']):<30} {decided:<18} "
        f"{_value(found['threshold']):>9} {_value(hours):>6}  {_verdict(found)}"
    )


def _short(model: str) -> str:
    """Return an id of at most 30 letters: its date and hash tell it from others."""
    return model if len(model) <= _ID else f"{model[: _ID - _TAIL - 1]}…{model[-_TAIL:]}"


def _verdict(found: _Json) -> str:
    if found["fault"]:
        return "damaged"
    judged = found["verdict"]
    if not judged:
        return "none"
    if judged["accepted"]:
        return "by hand" if judged["reasons"] else "accepted"  # a gate has none for it
    return "refused"


def page(found: _Json, switches: Sequence[Switch]) -> Iterator[str]:
    """Yield the lines that tell all of a model and of its times as champion."""
    for name, value in rows(found):
        yield from _columns([(name, _WHOLE_NAME)], [(_value(value), _COLUMNS - _WHOLE_NAME)])
    for switch in switches:
        if found["id"] in (switch.model, switch.previous):
            went = "came" if switch.model == found["id"] else "went"
            said = f"{switch.time[:19]}Z by {switch.by}{': ' * bool(switch.reason)}{switch.reason}"
            yield from _columns([(went, _WHOLE_NAME)], [(said, _COLUMNS - _WHOLE_NAME)])


def side_by_side(first: _Json, second: _Json) -> Iterator[str]:
    """Yield both models in two columns; `*` marks what differs."""
    both = dict(rows(first)), dict(rows(second))
    for name in dict.fromkeys([*both[0], *both[1]]):
        left, right = (_value(one.get(name)) for one in both)
        mark = " " if left == right else "*"
        yield from _columns([(mark, 2), (name, _NAME - 2)], [(left, _CELL), (right, _CELL)])


def _columns(names: Sequence[_Cell], values: Sequence[_Cell]) -> Iterator[str]:
    """Yield texts beside each other, each as wide as it may be with a space at its end.

    The values begin where the name ends.
    """
    cells = [*names, *values]
    columns = [textwrap.wrap(plain(text), width - 1) for text, width in cells]
    above = max(map(len, columns[: len(names)])) - 1
    columns[len(names) :] = [[""] * above + lines for lines in columns[len(names) :]]
    for k in range(max(map(len, columns))):
        parts = zip(columns, cells, strict=True)
        yield "".join(f"{c[k] if k < len(c) else '':<{width}}" for c, (_, width) in parts).rstrip()


def rows(found: _Json, within: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each single value of nested ones under the path of its names."""
    for name, value in found.items():
        path = f"{within} {name}".strip()
        if isinstance(value, Mapping):
            yield from _table(value, path) if len(path.split()) > _TABLE else rows(value, path)
        elif value not in ("", None, []):
            yield path, value


def _table(found: _Json, path: str) -> Iterator[tuple[str, Any]]:
    """Yield a table in one row if it holds single values alone."""
    if any(isinstance(value, Mapping) for value in found.values()):
        yield from rows(found, path)
    else:
        yield path, ", ".join(f"{_value(value)} {name}" for name, value in found.items())


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_value(part) for part in value)
    return str(value)
