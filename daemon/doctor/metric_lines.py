"""The metrics of a page that are ours by name, with labels of our own words (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families

from daemon.doctor.harmless import LEFT_OUT, is_harmless
from daemon.metrics import Metrics


def metric_lines(page: str) -> Iterator[str]:
    """Yield a line for each figure; a page that is none gives one that says so."""
    try:
        families = list(text_string_to_metric_families(page))
    except ValueError:
        yield f"# {LEFT_OUT}: no page of metrics"
        return
    ours = {family.name for family in Metrics("", 1.0).registry.collect()}
    for family in families:
        if family.name in ours:
            for sample in family.samples:
                yield f"{sample.name}{_labels(sample.labels)} {sample.value:g}"


def _labels(labels: Mapping[str, str]) -> str:
    kept = (f"{name}={json.dumps(_label(text))}" for name, text in labels.items())
    return f"{{{','.join(kept)}}}" if labels else ""


def _label(text: str) -> str:
    return text if is_harmless(text) or _is_number(text) else LEFT_OUT


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
