"""A real Prometheus that scrapes one target each second, with our rules."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from daemon.demo.child import free_ports
from tests.daemon.conftest import until
from tests.monitoring.rules import MONITORING

_WINDOW: Final = "10s"  # four scrapes at least, as Grafana chooses it


@dataclass(frozen=True)
class Series:
    """One line of an answer: its labels, and its times (s) and values."""

    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Prometheus:
    """Asks it; `target` is what it scrapes."""

    url: str
    target: str

    def filled(self, expr: str) -> str:
        """Return a query of the dashboard as Grafana would send it."""
        here = re.escape(self.target).replace("\\", "\\\\")
        return expr.replace("$__rate_interval", _WINDOW).replace("$instance", here)

    def ask(self, expr: str) -> list[Series]:
        """Return what is so now."""
        found = self._get("query", query=self.filled(expr))
        return [Series(row["metric"], (_point(row["value"]),)) for row in found["result"]]

    def ask_since(self, expr: str, begin_s: float, *, step_s: float = 1.0) -> list[Series]:
        """Return what was so from a time on (s since 1970)."""
        found = self._get(
            "query_range", query=self.filled(expr), start=begin_s, end=time.time(), step=step_s
        )
        return [Series(row["metric"], tuple(map(_point, row["values"]))) for row in found["result"]]

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules with their health and their state."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def _get(self, what: str, **query: object) -> Any:
        asked = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{query}: {error.read().decode()}") from error
        assert found["status"] == "success", found
        return found["data"]


@contextmanager
def prometheus_on(
    target: str, folder: Path, *, certificate: Path | None = None, password: Path | None = None
) -> Iterator[Prometheus]:
    """Give a Prometheus that has scraped a target, and stop it at the end.

    With a certificate and a password it does as our example says of another machine.
    """
    (port,) = free_ports(1)
    settings = (MONITORING / "prometheus.yml").read_text()
    for ours, theirs in (
        ("15s", "1s"),
        ("127.0.0.1:9108", target),
        ("[kilokai.rules.yml]", f"[{MONITORING / 'kilokai.rules.yml'}]"),
    ):
        settings = settings.replace(ours, theirs)
    if certificate and password:
        settings = re.sub("# (?=scheme|tls_config|basic_auth)", "", settings)
        settings = settings.replace("station.pem", str(certificate))
        settings = settings.replace("station.password", str(password))
    (folder / "prometheus.yml").write_text(settings)
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            found = Prometheus(f"http://127.0.0.1:{port}", target)
            until(lambda: _is_ready(found), deadline_s=30)
            until(lambda: _has_scraped(found), deadline_s=30)
            yield found
        finally:
            process.terminate()
            process.wait(90)


def _is_ready(prometheus: Prometheus) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{prometheus.url}/-/ready", timeout=60):
        return True
    return False


def _has_scraped(prometheus: Prometheus) -> bool:
    return bool(prometheus.ask('up{job="kilokai"} == 1'))


def _point(found: Sequence[Any]) -> tuple[float, float]:
    return float(found[0]), float(found[1])
