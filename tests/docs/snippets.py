"""The code of the pages, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs"


def snippets(page: str, language: str, *, after: str = "") -> list[str]:
    """Return the blocks of a page in a language, those after a heading alone."""
    text = (DOCS / page).read_text("utf-8")
    part = text[text.index(after) :]
    return re.findall(rf"^```{language}\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
