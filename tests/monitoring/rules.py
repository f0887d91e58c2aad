"""The rules as text: what each alert is, without a parser of YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
TESTS = sorted(MONITORING.glob("*.test.yml"))


@dataclass(frozen=True)
class Alert:
    """One rule: its name and its own text."""

    name: str
    text: str

    def says(self, key: str) -> str:
        """Return the value of a key that stands in one line, or ""."""
        found = re.search(rf"\b{key}: ?(.*?)[}}\n]", self.text)
        return found[1] if found else ""


def alerts() -> list[Alert]:
    text = (MONITORING / "kilokai.rules.yml").read_text()
    _, *parts = re.split(r"^ +- alert: ", text, flags=re.MULTILINE)
    return [Alert(part.split("\n", 1)[0], part) for part in parts]


def names_in(text: str) -> set[str]:
    """Return the metrics of ours that an expression asks for."""
    return set(re.findall(r"\bkilokai_[a-z_]+", text))


def series_of(page: str) -> set[str]:
    """Return the names of the series on a page of metrics."""
    return set(re.findall(r"^(\w+)[{ ]", page, flags=re.MULTILINE))
