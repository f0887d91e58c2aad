import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from daemon.metrics import Metrics
from tests.monitoring.rules import MONITORING, ROOT, TESTS, Alert, alerts, names_in, series_of

_ALERTS = alerts()
_PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    _PROMTOOL is None, reason="needs promtool, in Debian's package prometheus"
)


def _promtool(*words: str | Path, folder: Path = MONITORING) -> str:
    done = subprocess.run(
        [str(_PROMTOOL), *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _tested(name: str, expected: str) -> bool:
    """Say whether some test wants an alert to fire, or not to."""
    asked = rf'alertname="{name}", alertstate="firing"}}\)\n +eval_time: \w+\n +exp_samples: '
    return any(re.search(asked + re.escape(expected), path.read_text()) for path in TESTS)


@needs_promtool
def test_promtool_takes_the_rules_and_the_scrape() -> None:
    assert f"{len(_ALERTS)} rules found" in _promtool("check", "rules", "kilokai.rules.yml")
    assert "SUCCESS" in _promtool("check", "config", "prometheus.yml")


@needs_promtool
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_every_alert_fires_when_it_must_and_not_before(path: Path) -> None:
    assert "SUCCESS" in _promtool("test", "rules", path.name)


@pytest.mark.parametrize("alert", _ALERTS, ids=lambda alert: alert.name)
def test_an_alert_is_tested_both_ways_and_says_what_a_person_needs(alert: Alert) -> None:
    assert alert.name.startswith("Kilokai")
    assert _tested(alert.name, "[{labels: '{}', value: 1}]")
    assert _tested(alert.name, "[]")
    assert alert.says("severity") in ("critical", "warning", "info", "none")
    assert alert.says("summary")
    assert re.search(r"description: (>-\n +)?\S", alert.text)
    assert alert.says("runbook_url") == f"docs/alerts.md#{alert.name.lower()}"


def test_the_page_of_alerts_has_each_once_with_its_severity_and_nothing_else() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text()
    _, *parts = re.split(r"^## ", page, flags=re.MULTILINE)
    told = [(part.split("\n", 1)[0], re.search(r"\A\w+\n\*(\w+)\.\*", part)) for part in parts]
    assert [(name, found and found[1]) for name, found in told] == [
        (alert.name, alert.says("severity")) for alert in _ALERTS
    ]
    for part in parts:
        assert "**Means:**" in part
        assert "**Do:**" in part or "**Look and do:**" in part


def test_rules_and_their_tests_ask_only_for_metrics_that_there_are() -> None:
    there = series_of(generate_latest(Metrics("a", 1.0).registry).decode())
    for path in (MONITORING / "kilokai.rules.yml", *TESTS):
        text = path.read_text()
        assert names_in(text) <= there, path


@needs_promtool
def test_what_an_alert_says_can_be_read(tmp_path: Path) -> None:
    said = _annotations(tmp_path)
    assert set(said) == {alert.name for alert in _ALERTS}
    for name, text in said.items():
        assert "error expanding" not in text, name
        assert "<no value>" not in text, name
        assert "{{" not in text, name


def _annotations(folder: Path) -> dict[str, str]:
    """Return what each alert says in its test: none are wanted there, so that promtool tells."""
    shutil.copy(MONITORING / "kilokai.rules.yml", folder)
    said: dict[str, str] = {}
    for path in TESTS:
        text = re.sub(
            r'- expr: count\(ALERTS\{alertname="(\w+)".*\n +eval_time: (\w+)\n.*value: 1.*',
            r"- {alertname: \1, eval_time: \2, exp_alerts: []}",
            path.read_text(),
        )
        text = re.sub(r" +- expr: .*\n.*\n.*exp_samples.*\n", "", text)
        (folder / path.name).write_text(text.replace("promql_expr_test", "alert_rule_test"))
        done = subprocess.run(
            [str(_PROMTOOL), "test", "rules", path.name],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        told = re.finditer(
            r"alertname: (\w+), time:.*?Annotations:\{(.*?)\}\n",
            done.stdout + done.stderr,
            re.DOTALL,
        )
        said |= {found[1]: found[2] for found in told}
    return said
