"""Metrics as a scrape finds them."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from daemon import options
from daemon.metrics import Metrics

ANYWHERE = options.Metrics(listen="127.0.0.1:0")


def page_at(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as page:
        return str(page.read().decode())


def value_of(metrics: Metrics, name: str, labels: Mapping[str, str] | None = None) -> float:
    """Return the value of a series that must be there."""
    value = metrics.registry.get_sample_value(name, dict(labels or {}))
    assert value is not None, name
    return value


def samples_of(page: str) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def pair_in(folder: Path) -> tuple[Path, Path]:
    """Return a certificate for 127.0.0.1 and its key, made in a folder."""
    certificate, key = folder / "station.pem", folder / "station.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=station",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key
