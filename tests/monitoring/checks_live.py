"""Every query of the dashboard and every rule, against a real Prometheus and a real daemon.

Not among `make test`, as it needs Prometheus: `make test-monitoring`.
"""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from daemon import options
from daemon.metrics import Metrics, serve_metrics
from monitoring.panels import Panel, Query
from monitoring.rows import ANNOTATIONS, ROWS
from tests.daemon.conftest import until
from tests.daemon.scrapes import pair_in
from tests.monitoring.live import Live, live_station, recent_sea
from tests.monitoring.prometheus import Series, prometheus_on
from tests.monitoring.rules import alerts

_PANELS = [panel for row in ROWS for panel in row.panels]
_RARE = {  # what this station never does
    "Alerts that fired", "Drift", "Refused within an hour", "Last retraining", "Last accepted",
}  # fmt: skip
_OFTEN_NOTHING = {"achieved, {{span}}"}
_FIRES = {"KilokaiDeadMansSwitch"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A station that never heard anything."""
    with live_station(tmp_path_factory.mktemp("empty")) as live:
        _settle(live)
        yield live


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A station that heard six minutes in which there were events."""
    folder = tmp_path_factory.mktemp("heard")
    sea = recent_sea(folder / "sea", minutes=6)
    with live_station(folder) as live:
        for name, data in sea.cut(1):
            live.put(name, data)
        until(lambda: live.prometheus.ask("sum(kilokai_events_total) > 0"), deadline_s=60)
        _settle(live)
        yield live


def _all_evaluated(live: Live) -> bool:
    return all(rule["health"] == "ok" for rule in live.prometheus.rules())


def _settle(live: Live) -> None:
    """Wait for some scrapes, so that a rate can be told."""
    until(lambda: live.prometheus.ask("count_over_time(up[1m]) > 5"), deadline_s=30)


def _is_well(live: Live, panel: Panel) -> None:
    for query in panel.queries:
        found = _answer(live, panel, query)
        values = [value for series in found for _, value in series.points]
        assert all(abs(value) < 1e15 for value in values), query.expr  # NaN is not, too
        assert len(found) <= 8, f"{len(found)} lines: {query.expr}"


def _answer(live: Live, panel: Panel, query: Query) -> list[Series]:
    """Return what a panel shows: what is so now, or what was so these last minutes."""
    if panel.kind == "stat":
        return live.prometheus.ask(query.expr)
    return live.prometheus.ask_since(query.expr, time.time() - 180)


@pytest.mark.parametrize("panel", _PANELS, ids=lambda panel: panel.title)
def test_a_panel_of_a_new_station_shows_no_error_and_what_there_is(
    empty: Live, panel: Panel
) -> None:
    assert any(_answer(empty, panel, query) for query in panel.queries) or not panel.at_once
    _is_well(empty, panel)


@pytest.mark.parametrize("panel", _PANELS, ids=lambda panel: panel.title)
def test_a_panel_of_a_station_that_heard_something_shows_it(heard: Live, panel: Panel) -> None:
    for query in panel.queries if panel.title not in _RARE else ():
        if query.legend not in _OFTEN_NOTHING:
            until(partial(_answer, heard, panel, query))  # evidence takes its time
    _is_well(heard, panel)


@pytest.mark.parametrize("query", ANNOTATIONS, ids=lambda query: query.legend)
def test_an_annotation_can_be_asked_for(heard: Live, query: Query) -> None:
    heard.prometheus.ask_since(query.expr, time.time() - 60)


def test_who_listens_is_counted_and_the_heart_is_heard(heard: Live) -> None:
    assert heard.prometheus.ask("kilokai_bus_subscribers == 1")
    assert heard.prometheus.ask('rate(kilokai_bus_messages_total{kind="heartbeat"}[10s]) > 1')
    assert heard.prometheus.ask("time() - kilokai_newest_arrival_time_seconds < 300")


def test_a_prometheus_of_another_machine_gets_in_as_our_example_says(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("the sea: is wide\n")
    password.chmod(0o600)
    certificate, key = pair_in(tmp_path)
    guarded = options.Metrics(
        listen="127.0.0.1:0", certificate=certificate, key=key, password=password
    )
    with (
        serve_metrics(Metrics("a", 1.0), guarded) as served,
        prometheus_on(
            served.address, tmp_path, certificate=certificate, password=password
        ) as prometheus,
    ):
        assert prometheus.ask("kilokai_threshold == 1")


def test_no_rule_has_an_error_and_a_new_or_a_good_station_raises_no_alarm(
    empty: Live, heard: Live
) -> None:
    for live in (empty, heard):
        until(partial(_all_evaluated, live))
        rules = live.prometheus.rules()
        assert {rule["name"] for rule in rules if rule["state"] == "firing"} == _FIRES
        assert len(rules) == len(alerts())
