"""The table of docs/metrics.md, made of the metrics: python -m tests.monitoring.metrics_page."""

from __future__ import annotations

from typing import Final

from prometheus_client import Metric

from daemon.metrics import Metrics
from tests.monitoring.rules import ROOT

PAGE: Final = ROOT / "docs" / "metrics.md"
_MARK: Final = "<!-- made by python -m tests.monitoring.metrics_page -->\n"


def table() -> str:
    """Return the metrics that are ours, in the order of their page, as Markdown."""
    families = sorted(_ours(Metrics("model", 0.0)), key=lambda family: family.name)
    rows = [_row(family) for family in families]
    return "\n".join(["| metric | kind | labels | what it tells |", "|---|---|---|---|", *rows, ""])


def with_table(page: str) -> str:
    """Return a page with the table behind its mark as it is now."""
    return page.split(_MARK)[0] + _MARK + table()


def _ours(metrics: Metrics) -> list[Metric]:
    return [f for f in metrics.registry.collect() if f.name.startswith("kilokai_")]


def _row(family: Metric) -> str:
    """Return one line; labels with few values name them."""
    name = family.name + ("_total" if family.type == "counter" else "")
    values: dict[str, dict[str, None]] = {}
    for sample in family.samples:
        for label, value in sample.labels.items():
            values.setdefault(label, {})[value] = None
    values.pop("le", None)
    many = "version", "python", "torch", "zmq", "model"
    labels = "; ".join(
        f"`{label}`" if label in many else f"`{label}`: {', '.join(found)}"
        for label, found in values.items()
    )
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
