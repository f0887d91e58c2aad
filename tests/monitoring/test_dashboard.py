import json
import re
from typing import Any

import pytest
from prometheus_client import generate_latest

from daemon.metrics import Metrics
from monitoring import dashboard
from monitoring.rows import ANNOTATIONS, ROWS
from tests.monitoring.metrics_page import PAGE, table, with_table
from tests.monitoring.rules import MONITORING, names_in, series_of

_BOARD = json.loads(dashboard.PATH.read_text())
_PANELS: list[dict[str, Any]] = _BOARD["panels"]


def test_the_file_is_what_its_source_says() -> None:
    assert dashboard.PATH.read_text() == dashboard.text()


def test_panels_have_numbers_of_their_own_and_places_that_none_else_has() -> None:
    assert len({panel["id"] for panel in _PANELS}) == len(_PANELS)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in _PANELS)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert {x for x, _ in taken} == set(range(24))


def test_every_source_is_the_one_that_is_chosen_and_the_address_never_changes() -> None:
    assert _BOARD["uid"] == "kilokai-station"
    names = [variable["name"] for variable in _BOARD["templating"]["list"]]
    assert names == ["datasource", "instance"]
    assert set(re.findall(r'"uid": "(.*?)"', dashboard.text())) == {
        "kilokai-station", "${datasource}"
    }  # fmt: skip


def test_queries_ask_for_metrics_that_there_are_at_the_station_that_is_chosen() -> None:
    there = series_of(generate_latest(Metrics("a", 1.0).registry).decode())
    queries = [query for row in ROWS for panel in row.panels for query in panel.queries]
    for query in [*queries, *ANNOTATIONS]:
        assert names_in(query.expr) <= there, query.expr
        assert query.expr.count("instance=~") == query.expr.count("{"), query.expr


def test_the_files_that_grafana_provisions_name_what_there_is() -> None:
    provisioning = MONITORING / "grafana" / "provisioning"
    assert "type: prometheus" in (provisioning / "datasources" / "prometheus.yml").read_text()
    assert dashboard.PATH.name in (provisioning / "dashboards" / "kilokai.yml").read_text()


def test_every_metric_says_what_it_is_and_the_page_of_metrics_has_them_all() -> None:
    families = list(Metrics("a", 1.0).registry.collect())
    assert all(len(family.documentation) > 5 for family in families)
    assert PAGE.read_text() == with_table(PAGE.read_text())
    assert table().count("\n| `kilokai_") == len([f for f in families if "kilokai_" in f.name])


def test_grafanas_own_types_take_the_dashboard_and_lose_nothing_of_it() -> None:
    pytest.importorskip("grafana_foundation_sdk")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    back = json.loads(JSONEncoder().encode(Dashboard.from_json(_BOARD)))
    for annotation in back["annotations"]["list"]:  # the SDK knows only Grafana's own
        annotation.pop("target")
    lost = _lost(_BOARD, back, "")
    assert [path for path in lost if not re.match("/annotations/.*/target", path)] == []


def _lost(ours: Any, theirs: Any, path: str) -> list[str]:
    """Return where something of ours is not in theirs."""
    if isinstance(ours, dict):
        return [
            lost
            for key, value in ours.items()
            for lost in (
                _lost(value, theirs[key], f"{path}/{key}") if key in theirs else [f"{path}/{key}"]
            )
        ]
    if isinstance(ours, list) and len(ours) == len(theirs):
        return [
            lost
            for k, pair in enumerate(zip(ours, theirs, strict=True))
            for lost in _lost(*pair, f"{path}/{k}")
        ]
    return [] if ours == theirs else [path]
