"""Write the dashboard as Grafana reads it: python -m monitoring.dashboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from monitoring.panels import Panel, Row
from monitoring.rows import ANNOTATIONS, ROWS

PATH: Final = Path(__file__).parent / "grafana" / "kilokai.json"
_UID: Final = "kilokai-station"  # stable: links and bookmarks hold over upgrades
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_ANNOTATION_COLOURS: Final = ("orange", "blue", "purple")
_COLUMNS: Final = 24
_Json = dict[str, Any]


def dashboard() -> _Json:
    """Return the whole dashboard."""
    return {
        "uid": _UID,
        "title": "Kilokai",
        "description": "A station that listens to the sea: is it well, and what did it hear?",
        "tags": ["kilokai", "hydrophone"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [_source_variable(), _station_variable()]},
        "annotations": {"list": list(_annotations())},
        "panels": list(_panels()),
    }


def _source_variable() -> _Json:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "hide": 0,
    }


def _station_variable() -> _Json:
    return {
        "type": "query",
        "name": "instance",
        "label": "Station",
        "datasource": _SOURCE,
        "query": {"query": 'label_values(up{job="kilokai"}, instance)', "refId": "instance"},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
    }


def _annotations() -> Iterator[_Json]:
    for query, colour in zip(ANNOTATIONS, _ANNOTATION_COLOURS, strict=True):
        yield {
            "name": query.legend.removeprefix("{{severity}} ").capitalize(),
            "datasource": _SOURCE,
            "enable": True,
            "iconColor": colour,
            "target": {
                "refId": "Anno",
                "expr": query.expr,
                "interval": "1m",
                "legendFormat": query.legend,
            },
        }


def _panels() -> Iterator[_Json]:
    """Yield headings and panels from left to right and from top to bottom."""
    number, y = 1, 0
    for row in ROWS:
        yield _heading(row, number, y)
        number, x, y = number + 1, 0, y + 1
        for panel in row.panels:
            if x + panel.width > _COLUMNS:
                x, y = 0, y + panel.height
            place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
            yield _panel(panel, number, place)
            number, x = number + 1, x + panel.width
        y += row.panels[-1].height


def _heading(row: Row, number: int, y: int) -> _Json:
    place = {"x": 0, "y": y, "w": _COLUMNS, "h": 1}
    return {
        "type": "row", "id": number, "title": row.title, "gridPos": place,
        "collapsed": False, "panels": [],
    }  # fmt: skip


def _panel(panel: Panel, number: int, place: _Json) -> _Json:
    defaults: _Json = {
        "unit": panel.unit,
        "noValue": panel.empty,
        "thresholds": {"mode": "absolute", "steps": _steps(panel)},
        "mappings": _words(panel),
    }
    if panel.kind == "timeseries":
        defaults |= {"color": {"mode": "palette-classic"}, "custom": _custom(panel)}
        if not (panel.log or panel.signed):
            defaults["min"] = 0
    return {
        "type": panel.kind,
        "id": number,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": [
            {
                "refId": chr(ord("A") + k),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
                "instant": panel.kind == "stat",
                "range": panel.kind != "stat",
            }
            for k, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _stat_options(panel) if panel.kind == "stat" else _series_options(),
    }


def _steps(panel: Panel) -> list[_Json]:
    """Return the colours by value: in JSON there is no infinity, and the first has none."""
    (_, first), *more = panel.steps
    return [{"value": None, "color": first}, *({"value": v, "color": c} for v, c in more)]


def _words(panel: Panel) -> list[_Json]:
    options = {f"{value:g}": {"text": text} for value, text in panel.words}
    return [{"type": "value", "options": options}] if options else []


def _custom(panel: Panel) -> _Json:
    """Return how lines are drawn; a limit is drawn where a panel has one."""
    return {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 30 if panel.stacked else 5,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "scaleDistribution": {"type": "log", "log": 10} if panel.log else {"type": "linear"},
        "thresholdsStyle": {"mode": "dashed" if len(panel.steps) > 1 else "off"},
    }


def _stat_options(panel: Panel) -> _Json:
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background" if len(panel.steps) > 1 else "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": panel.shown,
    }


def _series_options() -> _Json:
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def text() -> str:
    """Return the dashboard as the file that Grafana provisions."""
    return json.dumps(dashboard(), indent=2, allow_nan=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), "utf-8")
